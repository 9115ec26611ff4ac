#!/usr/bin/env bash
# What the tests need beside Python: Mosquitto, TimescaleDB compiled to WebAssembly, the built page,
# and Chromium to look at it.
# Says plainly what could not be had; tests that need it then say so too and are skipped.
set -u
cd "$(dirname "$0")"

if ! PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing mosquitto …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mosquitto; } \
      >/dev/null 2>&1 || echo "Could not install mosquitto: tests of MQTT 5 will be skipped."
  else
    echo "No mosquitto here: tests of MQTT 5 will be skipped. As root: apt-get install mosquitto"
  fi
fi

if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing chromium …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
      >/dev/null 2>&1 || echo "Could not install chromium: tests of the page in a browser will be skipped."
  else
    echo "No chromium here: tests of the page in a browser will be skipped. As root: apt-get install chromium"
  fi
fi

if command -v npm >/dev/null; then
  (cd .. && make -s page) || echo "The page was not built: its tests will fail."
  if [ ! timescale/node_modules/.package-lock.json -nt timescale/package-lock.json ]; then
    echo "Installing TimescaleDB (WebAssembly) for the tests of the schema …"
    (cd timescale && npm ci --silent --no-progress >/dev/null 2>&1 && touch node_modules/.package-lock.json) \
      || echo "npm ci failed: tests of TimescaleDB will be skipped."
  fi
else
  echo "No npm here: tests of TimescaleDB and of the page will be skipped. Install Node.js 20.19 or newer."
fi
exit 0
