"""Files of ours, as WhiteNoise finds them and as an ASGI server wants them.

Owns one thing: a file is answered whole. WhiteNoise answers with a synchronous iterator, which Django
warns of and reads whole anyway when it serves asynchronously.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class StaticFiles(WhiteNoiseMiddleware):
    @staticmethod
    def serve(  # type: ignore[override]  # the middleware narrows WhiteNoise's own likewise
        static_file: StaticFile, request: HttpRequest
    ) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        if found.file is None:
            body = b""
        else:
            with found.file:
                body = found.file.read()
        return HttpResponse(body, status=int(found.status), headers=dict(found.headers))
