"""The measuring tools measure: known errors, a known receptive field, known pictures."""

from __future__ import annotations

import numpy as np
import pytest

from emulsion_training.compare import Float, difference, receptive_radius, tile_error
from emulsion_training.patterns import hash32, noise_map, picture


def blur(image: Float) -> Float:
    """A 5×5 mean with zeros beyond the edge: it reaches 2 pixels."""
    padded = np.pad(image, [(0, 0), (0, 0), (2, 2), (2, 2)])
    height, width = image.shape[2:]
    parts = [padded[:, :, y : y + height, x : x + width] for y in range(5) for x in range(5)]
    mean: Float = (np.sum(parts, axis=0) / 25).astype(np.float32)
    return mean


def test_difference() -> None:
    a = np.zeros((1, 3, 4, 4), np.float32)
    assert difference(a, a).psnr == float("inf")
    found = difference(a, a + np.float32(0.1))
    assert (found.psnr, found.largest, found.mean) == pytest.approx((20, 0.1, 0.1), abs=1e-5)
    with pytest.raises(ValueError, match="shapes"):
        difference(a, a[:, :1])


def test_tiles_agree_from_the_radius_on() -> None:
    image = picture(40, 52)
    assert tile_error(blur, image, 16, 2, 1) < 1e-6
    assert tile_error(blur, image, 16, 1, 1) > 1e-3


def test_the_radius_is_found() -> None:
    assert receptive_radius(blur, 32, 1, 1, 12) == 2
    assert receptive_radius(blur, 32, 2, 1, 12) == 2
    with pytest.raises(ValueError, match="further"):
        receptive_radius(lambda image: image + image.mean(), 32, 1, 1, 12)


def test_pictures_are_the_documented_ones() -> None:
    # Written out so that another language can check itself against the same numbers.
    assert hash32(np.array([0, 1, 4097], np.uint32)).tolist() == [0, 1753845952, 4050813833]
    codes = np.round(picture(16, 16)[0, :, :2, :4] * 255).astype(int).tolist()
    assert codes == CODES
    assert np.array_equal(picture(16, 24)[..., 3:], picture(16, 21, shift=3))
    assert noise_map(4, 4)[0, 0, 1, 2] == np.float32(13 / 255)


CODES = [
    [[20, 29, 39, 60], [34, 44, 59, 62]],
    [[110, 113, 117, 131], [101, 113, 128, 141]],
    [[185, 183, 198, 211], [180, 193, 207, 216]],
]
