"""Bodies that are small as they travel and huge when they are decoded."""

import gzip
import zlib

import brotli
from backports import zstd

MEBIBYTE = bytes(2**20)


def bombs():
    """Return bodies of 1 MB or less, by their content-encoding, that are 1 GiB when they are decoded."""
    squeeze = zlib.compressobj(9, wbits=-15)
    block = squeeze.compress(MEBIBYTE) + squeeze.flush(zlib.Z_FULL_FLUSH)
    press = brotli.Compressor(quality=5, lgwin=24)
    return {
        "gzip": gzip.compress(MEBIBYTE) * 1024,
        "deflate": block * 1024 + squeeze.flush(),
        "br": b"".join([*(press.process(MEBIBYTE) for _ in range(1024)), press.finish()]),
        "zstd": zstd.compress(MEBIBYTE * 64) * 16,
    }
