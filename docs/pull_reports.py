"""Pull what was filed since the last time, check it, and countersign it where a key is given.

DALA_URL=https://… DALA_KEY=… python pull_reports.py FOLDER keys.json [own.jwk]
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
from joserfc import jws
from joserfc.jwk import OKPKey

folder, keys, *own = map(Path, sys.argv[1:])
since, bearer = folder / "since", {"Authorization": f"Bearer {os.environ['DALA_KEY']}"}
began = since.read_text() if since.exists() else "1970-01-01T00:00:00Z"
page, asked = "/v1/reports", {"limit": 100, "changed_since": began}
api = httpx.Client(base_url=os.environ["DALA_URL"], headers=bearer, timeout=60)
api.event_hooks = {"response": [httpx.Response.raise_for_status]}
while page:
    listed = api.get(page, params=asked)
    for one in listed.json():
        path, which = f"/v1/reports/{one['number']}", {"revision": one["revision"]}
        (part := folder / "part").write_bytes(file := api.get(path, params=which).content)
        before = folder / f"{one['number']}-{one['revision'] - 1}.json"
        more = ["--earlier", before] if before.exists() else []
        subprocess.run(["dala", "verify", part, "--keys", keys, *more], check=True)
        if own:
            signer = OKPKey.import_key(json.loads(own[0].read_bytes()))
            head = {"alg": "Ed25519", "kid": signer.thumbprint()}
            payload = file[10 : file.rindex(b',"signatures":')]  # the member report, to the byte
            ours = jws.serialize_compact(head, payload, signer, algorithms=["Ed25519"]).split(".")
            signature = {"protected": ours[0], "signature": ours[2]}
            if signature not in json.loads(file)["signatures"]:
                api.post(f"{path}/countersignatures", params=which, json=signature)
        part.replace(folder / f"{one['number']}-{one['revision']}.json")
        since.write_text(one["filed_at"])
    page, asked = listed.links.get("next", {}).get("url"), None
