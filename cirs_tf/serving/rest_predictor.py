"""Masks of a model server by its REST interface."""

import base64
import binascii
import json
import re
import threading
import time
from typing import Any

from cirs_tf.errors import ConfigError, ServerError, UnusableServerError
from cirs_tf.serving.served_model import ERRORS, OUTPUT, SIGNATURE, ServedModel

try:
    import requests
    import urllib3
except ModuleNotFoundError:
    raise ConfigError(
        "http:// needs requests, which is not installed: pip install 'cirs-tf[serving]'"
    ) from None

_BUSY = (429, 502, 503, 504)  # asked again, as after a connection that broke
_FOR_ALL = (401, 403, 404, 405)  # of the address, not of an image
_MORE = 65_536  # bytes of an answer beside the mask
_LONGEST_REASON = 300  # characters
_CONNECTION = re.compile(r"^HTTPS?Connection(Pool)?\(.*?\): ")  # urllib3's prefix


class RestPredictor:
    """Sends files to a model's `serve_bytes`; safe to share between threads.

    Args:
        model: Where it is.
        timeout: Seconds to connect, and from then to the whole of the answer.
        retries: How often a request is sent again where the server says that it is
            busy (429, 502, 503, 504), or the connection fails or breaks: after 0.5
            seconds, 1, 2, ... at most 8. Not after a time-out: the server may be at it.
        max_bytes: Largest mask that is read.
    """

    def __init__(
        self, model: ServedModel, timeout: float, retries: int, max_bytes: int
    ):
        self._url = model.predict_url()
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._retry = _Retry(
            total=retries,
            status_forcelist=_BUSY,
            allowed_methods=None,  # a prediction changes nothing: it can be repeated
            backoff_factor=0.5,
            backoff_max=8,
            raise_on_status=False,
            respect_retry_after_header=False,  # it may say hours
        )
        self._threads = threading.local()
        self._sessions: list[requests.Session] = []

    def predict(self, file: bytes) -> tuple[bytes, str]:
        """Return the mask of an image file.

        Args:
            file: A PNG or JPEG.

        Returns:
            The mask, a PNG, and what the model says is wrong with the file: in general
            an empty string.

        Raises:
            ServerError: The server answers with an error, too late, too much, or
                something else than a mask.
            UnusableServerError: It cannot be reached, or has no such model.
        """
        row = {"b64": base64.b64encode(file).decode()}
        body = json.dumps({"signature_name": SIGNATURE, "instances": [row]})
        try:
            status, reason, content = self._post(body.encode())
        except requests.ConnectTimeout:
            raise UnusableServerError(
                f"{self._url}: cannot be reached within {self._timeout:g} s"
            ) from None
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise ServerError(f"no answer within {self._timeout:g} s") from None
        except requests.ConnectionError as error:
            raise UnusableServerError(
                f"{self._url}: cannot be reached: {_cause(error)}"
            ) from None
        except urllib3.exceptions.HTTPError as error:
            raise ServerError(f"the answer broke off: {_cause(error)}") from None
        except requests.RequestException as error:
            raise UnusableServerError(f"{self._url}: {_cause(error)}") from None
        if status == 200:
            return _mask(content)
        message = f"the server answers {status}: {_reason(content) or reason}"
        if status in _FOR_ALL or 300 <= status < 400:
            raise UnusableServerError(f"{self._url}: {message}")
        raise ServerError(message)

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            session.close()

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        """Return status, its meaning, and the content of the answer."""
        deadline = time.monotonic() + self._timeout
        with self._session().post(
            self._url,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            most = self._max_bytes * 4 // 3 + _MORE  # base64
            content = bytearray()
            # What arrives, as it arrives: a server that goes on forever is noticed.
            while part := response.raw.read1(65_536, decode_content=True):
                content += part
                if len(content) > most:
                    raise ServerError(
                        f"the answer has more than {most:,} bytes; see --max-bytes"
                    )
                if time.monotonic() > deadline:
                    raise requests.Timeout
            return response.status_code, response.reason, bytes(content)

    def _session(self) -> requests.Session:
        """Return the session of this thread: sessions are not made to be shared."""
        if not hasattr(self._threads, "session"):
            session = self._threads.session = requests.Session()
            adapter = requests.adapters.HTTPAdapter(max_retries=self._retry)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._sessions.append(session)
        return self._threads.session


class _Retry(urllib3.Retry):
    """Retries what `urllib3.Retry` does, but for time-outs of an answer."""

    def increment(
        self, method=None, url=None, response=None, error=None, *rest, **keywords
    ):
        if isinstance(error, urllib3.exceptions.ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, *rest, **keywords)


def _mask(content: bytes) -> tuple[bytes, str]:
    """Return mask and error of an answer in row format.

    A row is the value itself where the signature has one output, an object of values by
    name where it has several; bytes are `{"b64": ...}`, other strings are strings.
    """
    try:
        (row,) = json.loads(content)["predictions"]
        named = row if OUTPUT in row else {OUTPUT: row}
        mask = base64.b64decode(named[OUTPUT]["b64"], validate=True)
        return mask, str(named.get(ERRORS, ""))
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise ServerError(
            f"the answer is not one of {SIGNATURE}: expected one {OUTPUT}, got "
            f"{_shortened(content.decode(errors='replace'), 60)!r}"
        ) from None


def _reason(content: bytes) -> str:
    """Return what an error's JSON, or else its text, says."""
    text = content.decode(errors="replace")
    try:
        text = str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        pass
    return _shortened(text, _LONGEST_REASON)


def _shortened(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[:length] + " ..."


def _cause(error: Any) -> str:
    """Return the innermost message of an error of requests or urllib3."""
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, Exception):
            inner = next((a for a in error.args if isinstance(a, Exception)), None)
        if inner is None:
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _shortened(_CONNECTION.sub("", text), _LONGEST_REASON)
