"""Files of each version of the format so far, as the ridgeline of their time wrote them, are read by this one.

The rows were X = [[0, 1], [1, 0], [2, 2], [3, 1]].  Where the format changes, a file of the version that ends stays here.
"""

import base64
import subprocess
import sys

import numpy as np
import pytest

import ridgeline
from ridgeline import model_file

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])

RIDGE_1 = (
    "UkxNT0QwMDF4BAAAAAAAAKEDAAAAAAAAeyJyaWRnZWxpbmUiOiAiMC4xLjAiLCAiY2xhc3MiOiAiUmlkZ2UiLCAicGFyYW1ldGVycyI6IHsiYWxwaGEiOiAw"
    "LjUsICJmaXRfaW50ZXJjZXB0IjogdHJ1ZSwgImNvcHlfWCI6IHRydWUsICJtYXhfaXRlciI6IG51bGwsICJ0b2wiOiAwLjAwMDEsICJzb2x2ZXIiOiAiYXV0"
    "byIsICJwb3NpdGl2ZSI6IGZhbHNlLCAicmFuZG9tX3N0YXRlIjogbnVsbCwgIm5fdGhyZWFkcyI6IG51bGx9LCAiYXR0cmlidXRlcyI6IHsiY29lZl8iOiB7"
    "ImFycmF5IjogMH0sICJpbnRlcmNlcHRfIjogeyJzY2FsYXIiOiAxfSwgImNlcnRpZmljYXRlXyI6IHsiY2VydGlmaWNhdGUiOiB7InN0YXR1cyI6ICJvcHRp"
    "bWFsIiwgInNvbHZlciI6ICJDaG9sZXNreSB3aXRoIGRvdWJsZS1kb3VibGUgcmVmaW5lbWVudCIsICJncmFkaWVudF9ub3JtIjogMy4wNTMxMTMzMTc3MTkx"
    "ODA1ZS0xNiwgInN1Ym9wdGltYWxpdHkiOiAxLjMzMDM1Njg3ODkxODIxNjhlLTMyLCAiY29uZGl0aW9uIjogMi44MjM1Mjk0MTE3NjQ3MDU2LCAicGFzc2Vz"
    "IjogNCwgIm1lc3NhZ2UiOiAiUmVmaW5lZCB3aXRoIHJlc2lkdWFscyBvZiB0d2ljZSB0aGUgcHJlY2lzaW9uIHVudGlsIG5vIGRpZ2l0IGNoYW5nZWQuIn19"
    "LCAicmFua18iOiAyLCAibl9mZWF0dXJlc19pbl8iOiAyLCAiZmVhdHVyZV9uYW1lc19pbl8iOiB7Im9iamVjdHMiOiBbImhlaWdodCIsICJ3ZWlnaHQiXSwg"
    "InNoYXBlIjogWzJdfX0sICJzdGF0ZSI6IHsiX21vbWVudHMiOiB7ImFycmF5IjogMn19LCAibm90ZXMiOiB7InRhcmdldCI6ICJwcmljZSJ9LCAiYXJyYXlz"
    "IjogW3siZHR5cGUiOiAiPGY4IiwgInNoYXBlIjogWzJdLCAib3JkZXIiOiAiQyJ9LCB7ImR0eXBlIjogIjxmOCIsICJzaGFwZSI6IFtdLCAib3JkZXIiOiAi"
    "QyJ9LCB7ImR0eXBlIjogInx1MSIsICJzaGFwZSI6IFsxNTZdLCAib3JkZXIiOiAiQyJ9XX0AAAAAAAAAc3Nzc3Nz8z8UFBQUFBTUP5ybm5ubm+s/UkxNT00w"
    "MDFkb3VibGUgIAIAAAAAAAAAAQAAAAAAAAAAAAAAAAAQQAAAAAAAABBAAAAAAAAAsDwAAAAAAADwPwAAAAAAAPA/AAAAAAAA8D8AAAAAAAD4PwAAAAAAAPA/"
    "AAAAAAAACEAAAAAAAAAUQAAAAAAAAPA/AAAAAAAAAEAAAAAAAAAcQAAAAAAAAABAAAAAAAAAJEBvn36Cl43BfQ=="
)
LOGISTIC_1 = (
    "UkxNT0QwMDEwBAAAAAAAAPYDAAAAAAAAeyJyaWRnZWxpbmUiOiAiMC4xLjAiLCAiY2xhc3MiOiAiTG9naXN0aWNSZWdyZXNzaW9uIiwgInBhcmFtZXRlcnMi"
    "OiB7InBlbmFsdHkiOiAiZGVwcmVjYXRlZCIsICJDIjogMi4wLCAibDFfcmF0aW8iOiAwLjAsICJkdWFsIjogZmFsc2UsICJ0b2wiOiAxZS0wOCwgImZpdF9p"
    "bnRlcmNlcHQiOiB0cnVlLCAiaW50ZXJjZXB0X3NjYWxpbmciOiAxLjAsICJjbGFzc193ZWlnaHQiOiBudWxsLCAicmFuZG9tX3N0YXRlIjogbnVsbCwgInNv"
    "bHZlciI6ICJhdXRvIiwgIm1heF9pdGVyIjogMTAwLCAidmVyYm9zZSI6IGZhbHNlLCAid2FybV9zdGFydCI6IGZhbHNlLCAibl9qb2JzIjogbnVsbCwgInRp"
    "bWVfbGltaXQiOiBudWxsLCAibl90aHJlYWRzIjogbnVsbH0sICJhdHRyaWJ1dGVzIjogeyJjbGFzc2VzXyI6IHsidGV4dCI6IFsibm8iLCAieWVzIl0sICJk"
    "dHlwZSI6ICI8VTMiLCAic2hhcGUiOiBbMl19LCAiY29lZl8iOiB7ImFycmF5IjogMH0sICJpbnRlcmNlcHRfIjogeyJhcnJheSI6IDF9LCAibl9pdGVyXyI6"
    "IHsiYXJyYXkiOiAyfSwgImNlcnRpZmljYXRlXyI6IHsiY2VydGlmaWNhdGUiOiB7InN0YXR1cyI6ICJvcHRpbWFsIiwgInNvbHZlciI6ICJOZXd0b24gd2l0"
    "aCBDaG9sZXNreSAoZmV3IHJvd3Mgb2YgMiBjb2x1bW5zKSIsICJncmFkaWVudF9ub3JtIjogMS4xNzk2MTE5NjM2NjQyMjkzZS0xNiwgInN1Ym9wdGltYWxp"
    "dHkiOiAxLjIzMTQzMjA3OTgwNzczNDVlLTI4LCAiY29uZGl0aW9uIjogMy42MzA4Mzg2ODM1NDAxNTQ1LCAicGFzc2VzIjogOSwgIm1lc3NhZ2UiOiAiQ29u"
    "dmVyZ2VkIGluIDYgaXRlcmF0aW9ucy4ifX0sICJuX2ZlYXR1cmVzX2luXyI6IDJ9LCAic3RhdGUiOiB7fSwgIm5vdGVzIjoge30sICJhcnJheXMiOiBbeyJk"
    "dHlwZSI6ICI8ZjgiLCAic2hhcGUiOiBbMSwgMl0sICJvcmRlciI6ICJDIn0sIHsiZHR5cGUiOiAiPGY4IiwgInNoYXBlIjogWzFdLCAib3JkZXIiOiAiQyJ9"
    "LCB7ImR0eXBlIjogIjxpNCIsICJzaGFwZSI6IFsxXSwgIm9yZGVyIjogIkMifV19AAD6+gBYOI7zP4y37yl8Suk/Hqp8TEn9BMAGAAAAjP14Tw=="
)
RIDGE_CV_2 = (
    "UkxNT0QwMDJsAwAAAAAAADcDAAAAAAAAeyJyaWRnZWxpbmUiOiAiMC4xLjAiLCAiY2xhc3MiOiAiUmlkZ2VDViIsICJwYXJhbWV0ZXJzIjogeyJhbHBoYXMi"
    "OiB7Imxpc3QiOiBbMC41LCA1LjBdfSwgImZpdF9pbnRlcmNlcHQiOiB0cnVlLCAic2NvcmluZyI6IG51bGwsICJjdiI6IG51bGwsICJnY3ZfbW9kZSI6IG51"
    "bGwsICJzdG9yZV9jdl9yZXN1bHRzIjogZmFsc2UsICJhbHBoYV9wZXJfdGFyZ2V0IjogZmFsc2UsICJuX3RocmVhZHMiOiBudWxsfSwgImF0dHJpYnV0ZXMi"
    "OiB7ImFscGhhXyI6IDAuNSwgImJlc3Rfc2NvcmVfIjogLTAuMTg4NjU3MDkzNDY2MjMwNDQsICJjb2VmXyI6IHsiYXJyYXkiOiAwfSwgImludGVyY2VwdF8i"
    "OiB7InNjYWxhciI6IDF9LCAiY2VydGlmaWNhdGVfIjogeyJjZXJ0aWZpY2F0ZSI6IHsic3RhdHVzIjogIm9wdGltYWwiLCAic29sdmVyIjogIkNob2xlc2t5"
    "IHdpdGggZG91YmxlLWRvdWJsZSByZWZpbmVtZW50IiwgImdyYWRpZW50X25vcm0iOiAzLjA1MzExMzMxNzcxOTE4MDVlLTE2LCAic3Vib3B0aW1hbGl0eSI6"
    "IDEuMzMwMzU2ODc4OTE4MjE2OGUtMzIsICJjb25kaXRpb24iOiAyLjgyMzUyOTQxMTc2NDcwNTYsICJwYXNzZXMiOiA0LCAibWVzc2FnZSI6ICJSZWZpbmVk"
    "IHdpdGggcmVzaWR1YWxzIG9mIHR3aWNlIHRoZSBwcmVjaXNpb24gdW50aWwgbm8gZGlnaXQgY2hhbmdlZC4ifX0sICJuX2ZlYXR1cmVzX2luXyI6IDJ9LCAi"
    "c3RhdGUiOiB7fSwgIm5vdGVzIjoge30sICJhcnJheXMiOiBbeyJkdHlwZSI6ICI8ZjgiLCAic2hhcGUiOiBbMl0sICJvcmRlciI6ICJDIn0sIHsiZHR5cGUi"
    "OiAiPGY4IiwgInNoYXBlIjogW10sICJvcmRlciI6ICJDIn1dfQBzc3Nzc3PzPxQUFBQUFNQ/nJubm5ub6z/R3RwM"
)
ONLINE_2 = (
    "UkxNT0QwMDJUBQAAAAAAALUEAAAAAAAAeyJyaWRnZWxpbmUiOiAiMC4xLjAiLCAiY2xhc3MiOiAiTG9naXN0aWNSZWdyZXNzaW9uIiwgInBhcmFtZXRlcnMi"
    "OiB7InBlbmFsdHkiOiAiZGVwcmVjYXRlZCIsICJDIjogMi4wLCAibDFfcmF0aW8iOiAwLjAsICJkdWFsIjogZmFsc2UsICJ0b2wiOiAxZS0wOCwgImZpdF9p"
    "bnRlcmNlcHQiOiB0cnVlLCAiaW50ZXJjZXB0X3NjYWxpbmciOiAxLjAsICJjbGFzc193ZWlnaHQiOiBudWxsLCAicmFuZG9tX3N0YXRlIjogbnVsbCwgInNv"
    "bHZlciI6ICJhdXRvIiwgIm1heF9pdGVyIjogMTAwLCAidmVyYm9zZSI6IGZhbHNlLCAid2FybV9zdGFydCI6IGZhbHNlLCAibl9qb2JzIjogbnVsbCwgInRp"
    "bWVfbGltaXQiOiBudWxsLCAibl90aHJlYWRzIjogbnVsbH0sICJhdHRyaWJ1dGVzIjogeyJjbGFzc2VzXyI6IHsidGV4dCI6IFsibm8iLCAieWVzIl0sICJk"
    "dHlwZSI6ICI8VTMiLCAic2hhcGUiOiBbMl19LCAiY29lZl8iOiB7ImFycmF5IjogMH0sICJpbnRlcmNlcHRfIjogeyJhcnJheSI6IDF9LCAibl9pdGVyXyI6"
    "IHsiYXJyYXkiOiAyfSwgImNlcnRpZmljYXRlXyI6IHsiY2VydGlmaWNhdGUiOiB7InN0YXR1cyI6ICJvcHRpbWFsIiwgInNvbHZlciI6ICJOZXd0b24gb24g"
    "YSBiYXRjaCBhbmQgYSBxdWFkcmF0aWMgbWVtb3J5IiwgImdyYWRpZW50X25vcm0iOiA1LjU1MTExNTEyMzEyNTc4M2UtMTcsICJzdWJvcHRpbWFsaXR5Ijog"
    "My4zMzk0NTI4MTM1NDA5MTAyZS0yMSwgImNvbmRpdGlvbiI6IDMuNjMwODc0Njg4MDc5ODUzLCAicGFzc2VzIjogNywgIm1lc3NhZ2UiOiAiT2YgdGhlIHJv"
    "d3Mgb2YgdGhlIGxhc3QgYmF0Y2gsIGFuZCBvZiBhIHF1YWRyYXRpYyB0aGF0IHJlbWVtYmVycyB0aGUgb3RoZXJzLiJ9fSwgIm5fZmVhdHVyZXNfaW5fIjog"
    "Mn0sICJzdGF0ZSI6IHsiX21lbW9yeSI6IHsibGlzdCI6IFt7ImFycmF5IjogM30sIHsiYXJyYXkiOiA0fV19fSwgIm5vdGVzIjoge30sICJhcnJheXMiOiBb"
    "eyJkdHlwZSI6ICI8ZjgiLCAic2hhcGUiOiBbMSwgMl0sICJvcmRlciI6ICJDIn0sIHsiZHR5cGUiOiAiPGY4IiwgInNoYXBlIjogWzFdLCAib3JkZXIiOiAi"
    "QyJ9LCB7ImR0eXBlIjogIjxpNCIsICJzaGFwZSI6IFsxXSwgIm9yZGVyIjogIkMifSwgeyJkdHlwZSI6ICI8ZjgiLCAic2hhcGUiOiBbMSwgM10sICJvcmRl"
    "ciI6ICJDIn0sIHsiZHR5cGUiOiAiPGY4IiwgInNoYXBlIjogWzMsIDNdLCAib3JkZXIiOiAiQyJ9XX0AAAD6+gBYOI7zP4q37yl8Suk/Hqp8TEn9BMAFAAAA"
    "AAAAAPr6AFg4jvM/irfvKXxK6T8eqnxMSf0EwK1M06/95QJAtGanxN2z7z9cHUawD6HqP7Rmp8Tds+8/dqh4pCjz9T89vi4gtcDhP1wdRrAPoeo/Pb4uILXA"
    "4T89vi4gtcDhP8YpjIw="
)


@pytest.fixture
def opened(tmp_path):
    def load(text):
        path = tmp_path / "old.rl"
        path.write_bytes(base64.b64decode(text))
        return model_file.read(path)

    return load


def test_a_ridge_of_version_1(opened):
    saved = opened(RIDGE_1)
    model = saved.model
    assert saved.notes == {"target": "price"} and saved.written_by == "0.1.0"
    assert type(model) is ridgeline.Ridge and model.alpha == 0.5
    assert model.feature_names_in_.tolist() == ["height", "weight"]
    assert model.certificate_.status == "optimal" and model.rank_ == 2
    # 62/51, 16/51 and 44/51: the normal equations by hand
    np.testing.assert_allclose([*model.coef_, model.intercept_], np.array([62, 16, 44]) / 51, rtol=1e-14)
    np.testing.assert_allclose(model.predict(X[:1]), 60 / 51, rtol=1e-14)


def test_the_moments_of_version_1_go_on(opened):
    y = np.array([1.0, 2.0, 4.0, 5.0])
    np.testing.assert_allclose(
        opened(RIDGE_1).model.partial_fit(X, y).coef_,
        ridgeline.Ridge(alpha=0.5).fit(np.vstack([X, X]), np.r_[y, y]).coef_,
        rtol=1e-13,
    )


def test_a_classifier_of_version_1(opened):
    model = opened(LOGISTIC_1).model
    assert model.C == 2.0 and model.classes_.tolist() == ["no", "yes"]
    assert model.predict(X).tolist() == ["no", "no", "yes", "yes"]
    # the gradient of its objective at its coefficients vanishes
    p = model.predict_proba(X)[:, 1] - [0, 0, 1, 1]
    np.testing.assert_allclose(X.T @ p + model.coef_[0] / 2.0, 0, atol=1e-9)


def test_a_search_of_version_2(opened):
    model = opened(RIDGE_CV_2).model
    assert model.alpha_ == 0.5 and model.alphas == [0.5, 5.0]
    np.testing.assert_allclose(model.coef_, np.array([62, 16]) / 51, rtol=1e-14)


def test_a_classifier_of_version_2_goes_on(opened):
    y = np.array(["no", "no", "yes", "yes"])
    expected = ridgeline.LogisticRegression(C=2.0).partial_fit(X, y).partial_fit(X, y)
    np.testing.assert_allclose(opened(ONLINE_2).model.partial_fit(X, y).coef_, expected.coef_, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::ridgeline.certificate.FitWarning")
def test_prediction_of_a_loaded_model_needs_no_scipy(tmp_path):
    y = X @ [1.0, 0.5]
    for name in model_file.CLASSES:
        options = {"cv": 2} if name.endswith("CV") else {}
        labels = y > 1.5 if "Logistic" in name else y
        ridgeline.save(getattr(ridgeline, name)(**options).fit(X, labels), tmp_path / name)
    program = """
import sys, numpy, ridgeline
for name in sys.argv[2:]:
    model = ridgeline.load(sys.argv[1] + "/" + name)
    for rows in (numpy.ones((3, 2)), numpy.ones((1, 2)), [[1.0, 2.0]]):
        model.predict(rows)
assert not [name for name in sys.modules if name.split(".")[0] == "scipy"]
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path), *model_file.CLASSES], check=True)
