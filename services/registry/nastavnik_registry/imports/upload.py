"""A package from the wire to disk, within its limit."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from nastavnik_common.errors import DomainError

_BLOCK = 1024 * 1024


class Upload(NamedTuple):
    size: int
    digest: bytes


async def receive(request: Request, path: Path, limit: int) -> Upload:
    """Store the body, or its form's `file`, durably at `path`; nothing stays when that fails.

    Raises DomainError: 413 beyond `limit` bytes, 415 for another media type, 422 for an empty one.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    part = path.with_suffix(".part")
    try:
        upload = await _store(_blocks(request, limit), part)
        if not upload.size:
            raise DomainError("import.empty", "The body is empty; send the package itself.")
        await asyncio.to_thread(_publish, part, path)
    except ClientDisconnect:
        raise DomainError("import.cut_short", "The body ended early.", status=400) from None
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return upload


def _too_large(limit: int) -> DomainError:
    return DomainError("body.too_large", f"The package may have at most {limit} bytes.", status=413)


def _blocks(request: Request, limit: int) -> AsyncIterator[bytes]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limited = Request(request.scope, _limited(request.receive, limit))
    if media_type == "application/zip":
        return limited.stream()
    if media_type == "multipart/form-data":
        return _form_file(limited)
    raise DomainError(
        "import.media_type", "Send application/zip, or multipart/form-data with `file`.", status=415
    )


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit)
        return message

    return counted


async def _form_file(request: Request) -> AsyncIterator[bytes]:
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or len(form) != 1:
            raise DomainError("import.no_file", "The form has one field: `file`, the package.")
        while block := await file.read(_BLOCK):
            yield block


async def _store(blocks: AsyncIterator[bytes], path: Path) -> Upload:
    size, digest = 0, hashlib.sha256()
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for block in blocks:
            size += len(block)
            digest.update(block)
            await asyncio.to_thread(file.write, block)
        await asyncio.to_thread(_sync, file.fileno(), file.flush)
    finally:
        await asyncio.to_thread(file.close)
    return Upload(size, digest.digest())


def _sync(descriptor: int, flush: object) -> None:
    assert callable(flush)
    flush()
    os.fsync(descriptor)


def _publish(part: Path, path: Path) -> None:
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
