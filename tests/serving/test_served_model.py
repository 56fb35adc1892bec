import pytest

from cirs_tf.errors import ConfigError
from cirs_tf.serving.served_model import served_model


@pytest.mark.parametrize(
    ("url", "version", "label", "expected"),
    [
        ("http://h:8501/v1/models/a", None, None, "http://h:8501/v1/models/a:predict"),
        ("https://h/v1/models/a:predict", None, None, "https://h/v1/models/a:predict"),
        (
            "http://h/x/y/v1/models/a/",
            7,
            None,
            "http://h/x/y/v1/models/a/versions/7:predict",
        ),
        (
            "http://[::1]:1/v1/models/a",
            None,
            "b",
            "http://[::1]:1/v1/models/a/labels/b:predict",
        ),
    ],
)
def test_addresses_of_rest_are_the_documented_ones(url, version, label, expected):
    assert served_model(url, version, label).predict_url() == expected


def test_the_address_of_grpc():
    model = served_model("grpc://h:8500/fruit", None, "canary")
    assert (model.host, model.name, model.label) == ("h:8500", "fruit", "canary")
    assert str(model) == "grpc://h:8500/fruit"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8501",
        "http://h:8501",
        "http://h:8501/v1/models/",
        "http://h:8501/v1/models/a/versions/2",
        "http://h:8501/v1/models/a?b=c",
        "http://h:80000/v1/models/a",
        "http:///v1/models/a",
        "grpc://h/fruit",
        "grpc://h:8500",
        "grpc://h:8500/a/b",
        "ftp://h:8500/fruit",
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(ConfigError, match="expected http://HOST:8501/v1/models/NAME"):
        served_model(url)


@pytest.mark.parametrize(
    ("version", "label", "message"),
    [
        (2, "canary", "--version and --label: expected one of them"),
        (0, None, "--version: expected at least 1, got 0"),
        (None, "a/b", "--label: expected a name without / and :, got 'a/b'"),
    ],
)
def test_version_and_label(version, label, message):
    with pytest.raises(ConfigError, match=message):
        served_model("http://h/v1/models/a", version, label)
