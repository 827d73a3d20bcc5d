"""Values that Python and TypeScript compute alike, bit for bit, so that weights and inputs need no files. See formula.ts."""

import numpy as np

MASK = 0xFFFFFFFF


def seed_of(text):
    """FNV-1a over the text's bytes."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & MASK
    return value


def words(name, count):
    """`count` 32-bit words that depend on the name (a finaliser of MurmurHash3 over place and seed)."""
    value = (np.arange(count, dtype=np.uint64) * 0x9E3779B1 + seed_of(name)) & MASK
    value ^= value >> np.uint64(16)
    value = (value * 0x85EBCA6B) & MASK
    value ^= value >> np.uint64(13)
    value = (value * 0xC2B2AE35) & MASK
    return value ^ (value >> np.uint64(16))


def uniform(name, shape):
    """Multiples of 2^-23 in [-1, 1): exact in float32."""
    count = int(np.prod(shape))
    return ((words(name, count) >> np.uint64(8)).astype(np.float64) / 2**23 - 1).astype(np.float32).reshape(shape)


def signs(name, count):
    return np.where(words(name, count) & np.uint64(1 << 31), 1.0, -1.0)


def weight(name, shape, smooth=0):
    """A tensor of a network under PyTorch's name and in its layout. Scales are powers of two, so that both languages round nothing.

    In a deep network some ReLU's input is always so near to 0 that float32 decides its side, and with it a part of the gradient: PyTorch's own
    gradients in float32 and float64 then differ by 1e-2. In a smooth network all channels but each `smooth`-th are on or off for every input: their
    normalisation has an offset far from 0 against its scale."""
    normalises = ".bn" in name or name.startswith("bn") or ".downsample.1" in name
    values = plain_weight(name, shape, normalises, smooth)
    if not (smooth and normalises and len(shape) == 1) or "running" in name:
        return values
    side = words(name.rpartition(".")[0] + ":side", shape[0])
    keeps = np.arange(side.size) % smooth == 0
    if name.endswith("weight"):
        return np.where(keeps, values, values / 8)
    size = 1 + np.abs(values)
    # Before a sum with a shortcut, only on.
    on = (side >> np.uint64(31) == 1) | (".bn3" in name or ".downsample.1" in name)
    return np.where(keeps, values, np.where(on, size, -size)).astype(np.float32)


def plain_weight(name, shape, normalises, smooth):
    if name.endswith("running_var"):
        # A frozen network does not normalise itself: what grows along its shortcuts is divided by 8.
        return (1 + uniform(name, shape) / 2) * np.float32(64 if smooth > 1 << 16 else 1)
    if name.endswith("running_mean"):
        return uniform(name, shape) / 4
    if len(shape) == 1 and normalises and name.endswith("weight"):
        return 1 + uniform(name, shape) / 4
    if len(shape) == 1:
        return uniform(name, shape) / 8
    fan_in = int(np.prod(shape[1:]))
    if name == "embed.weight":
        fan_in = 2
    # The power of two nearest to the bound that keeps activations at their size through ReLUs.
    return uniform(name, shape) * np.float32(2.0 ** np.round(np.log2(np.sqrt(6 / fan_in))))
