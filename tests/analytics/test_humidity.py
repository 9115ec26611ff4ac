import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.humidity import dew_point
from analytics.reference_et import saturation_vapour_pressure


@pytest.mark.parametrize(("pressure", "celsius"), [(0.611, 0.0), (1.705, 15.0), (4.243, 30.0)])
def test_dew_point_of_fao_table_2_3(pressure, celsius):
    # FAO-56 Annex 2, Table 2.3: saturation vapour pressure at 0, 15 and 30 °C.
    assert float(dew_point(pressure)) == pytest.approx(celsius, abs=0.01)


@given(st.floats(-40, 50))
def test_dew_point_undoes_the_saturation_vapour_pressure(celsius):
    assert float(dew_point(saturation_vapour_pressure(celsius))) == pytest.approx(celsius, abs=1e-9)


def test_unknown_pressure_has_no_dew_point():
    assert np.isnan(dew_point(np.nan))
