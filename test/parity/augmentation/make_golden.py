"""Writes golden/augmentation.json: what Pillow makes of small images, by the operations that torchvision's transforms call on them.

    python3 -m pip install -r requirements.txt
    python3 make_golden.py

torchvision (0.2x, transforms on PIL images): rotate -> Image.rotate(angle, NEAREST); adjust_brightness, adjust_contrast and
adjust_saturation -> ImageEnhance; adjust_hue -> HSV bytes, the hue moved by int(factor * 255) with wrap-around.
"""

import base64
import json
import pathlib

import numpy as np
from PIL import Image, ImageEnhance

SIZES = [(32, 32, 3), (28, 28, 1), (7, 12, 3)]


def images(rng):
    for height, width, channels in SIZES:
        y, x = np.mgrid[0:height, 0:width]
        for kind in range(2):
            if kind == 0:
                values = rng.integers(0, 256, (height, width, channels))
            else:
                waves = rng.uniform(0, 0.5, (channels, 2))
                values = np.stack([127.5 + 127.5 * np.sin(a * x + b * y + a) for a, b in waves], axis=-1)
            yield np.clip(np.round(values), 0, 255).astype(np.uint8)


def to_pil(array):
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def adjust_hue(image, factor):
    if image.mode == "L":
        return image
    h, s, v = image.convert("HSV").split()
    moved = np.array(h, dtype=np.uint8)
    with np.errstate(over="ignore"):
        moved += np.int32(factor * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(moved), s, v)).convert("RGB")


OPERATIONS = {
    "rotate": (lambda image, angle: image.rotate(angle, Image.NEAREST), [-20, -13.7, -0.9, 0, 3.3, 19.99, 90, 137.5]),
    "brightness": (lambda image, f: ImageEnhance.Brightness(image).enhance(f), [0, 0.8, 0.93, 1.0, 1.07, 1.2, 2]),
    "contrast": (lambda image, f: ImageEnhance.Contrast(image).enhance(f), [0, 0.8, 0.93, 1.07, 1.2, 2]),
    "saturation": (lambda image, f: ImageEnhance.Color(image).enhance(f), [0, 0.8, 0.93, 1.07, 1.2, 2]),
    "hue": (adjust_hue, [-0.5, -0.2, -0.111, 0, 0.05, 0.2, 0.5]),
}


def packed(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def main():
    rng = np.random.default_rng(20260101)
    cases = []
    for array in images(rng):
        outputs = []
        for name, (operation, parameters) in OPERATIONS.items():
            for parameter in parameters:
                result = np.asarray(operation(to_pil(array), parameter), dtype=np.uint8)
                outputs.append({"operation": name, "parameter": parameter, "bytes": packed(result)})
        cases.append({"shape": array.shape, "bytes": packed(array), "outputs": outputs})
    target = pathlib.Path(__file__).parent / "golden" / "augmentation.json"
    target.write_text(json.dumps({"pillow": Image.__version__, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
