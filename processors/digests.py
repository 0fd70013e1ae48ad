"""How data is told apart from other data: by 128 bits of XXH3, which takes a tenth of the time that SHA-1 takes.

Nothing here is a secret or signed: whoever could forge a digest owns the archive that it is of.
"""

from __future__ import annotations

import xxhash

Digest = xxhash.xxh3_128
"""What takes data piece by piece; `hexdigest()` is the digest of all."""
digest_of = xxhash.xxh3_128_hexdigest
"""Return the digest of some bytes, as hex digits."""
