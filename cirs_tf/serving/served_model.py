"""Where a model server has a model: what the client's URL says."""

import dataclasses
import re
import urllib.parse

from cirs_tf.errors import ConfigError

SIGNATURE, INPUT = "serve_bytes", "image_bytes"
OUTPUT, ERRORS = "mask_png_bytes", "errors"  # older exports have no `errors`

_EXPECTED = "expected http://HOST:8501/v1/models/NAME or grpc://HOST:8500/NAME"
_REST_PATH = re.compile(r"(?P<before>.*/v1/models/)(?P<name>[^/:]+)(:predict)?/?")
_GRPC_PATH = re.compile(r"(?P<before>/)(?P<name>[^/:]+)/?")


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A model, or a version of it, on a server.

    Attributes:
        protocol: `http`, `https`, `grpc` or `grpcs`; the last letter: by TLS.
        host: `HOST:PORT`.
        before: The path up to the name, `/v1/models/` or that behind a proxy's prefix;
            `/` for gRPC.
        name: The model's name on the server.
        version: A version's number; None: that of the label, or the newest.
        label: A version's label, such as `canary`; None: none.
    """

    protocol: str
    host: str
    before: str
    name: str
    version: int | None = None
    label: str | None = None

    def predict_url(self) -> str:
        """Return the address to which a REST request is sent.

        Example:
            >>> model = served_model("http://localhost:8501/v1/models/fruit", 2)
            >>> model.predict_url()
            'http://localhost:8501/v1/models/fruit/versions/2:predict'
        """
        which = ""
        if self.version is not None:
            which = f"/versions/{self.version}"
        elif self.label is not None:
            which = f"/labels/{self.label}"
        return f"{self.protocol}://{self.host}{self.before}{self.name}{which}:predict"

    def __str__(self) -> str:
        if self.protocol.startswith("http"):
            return self.predict_url()
        return f"{self.protocol}://{self.host}/{self.name}"


def served_model(
    url: str, version: int | None = None, label: str | None = None
) -> ServedModel:
    """Read the URL of a model.

    Args:
        url: `http(s)://HOST:PORT/v1/models/NAME`, with or without `:predict`, or
            `grpc(s)://HOST:PORT/NAME`.
        version: As of `ServedModel`, at least 1.
        label: As of `ServedModel`; not with `version`.

    Raises:
        ConfigError: It is no such URL, or version or label is not as above.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{url}: {error}; {_EXPECTED}") from None
    if parts.scheme in ("http", "https"):
        match = _REST_PATH.fullmatch(parts.path)
    elif parts.scheme in ("grpc", "grpcs"):
        match = _GRPC_PATH.fullmatch(parts.path) if port else None
    else:
        match = None
    if not match or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"{url}: not the URL of a model; {_EXPECTED}")
    if version is not None and label is not None:
        raise ConfigError("--version and --label: expected one of them")
    if version is not None and version < 1:
        raise ConfigError(f"--version: expected at least 1, got {version}")
    if label is not None and not re.fullmatch(r"[^/:\s]+", label):
        raise ConfigError(f"--label: expected a name without / and :, got {label!r}")
    return ServedModel(
        parts.scheme, parts.netloc, match["before"], match["name"], version, label
    )
