"""Files are written by Pillow from known arrays, and read again."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from misread.datasets.pictures import browser_type, check_unchanged, decode, read_file
from misread.errors import DatasetError
from misread.types import Array

FILE = Path("folder/some.png")
TEXT = PngInfo()
TEXT.add_text("Author", "who took it")


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(picture: Image.Image | Array, form: str = "PNG", **options: object) -> bytes:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@settings(deadline=None)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    channels=st.sampled_from([(), (3,)]),
    form=st.sampled_from([("PNG", {}), ("BMP", {}), ("TIFF", {}), ("PPM", {})]),
)
def test_what_is_stored_losslessly_is_read_exactly(
    height: int, width: int, channels: tuple[int, ...], form: tuple[str, dict[str, object]]
) -> None:
    image = noise(height, width, *channels)
    np.testing.assert_array_equal(decode(FILE, encoded(image, form[0], **form[1])), image)


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "JPEG2000"])
def test_lossy_formats_are_read_as_pillow_reads_them(form: str) -> None:
    content = encoded(noise(16, 24, 3), form)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(decode(FILE, content), expected)


def test_a_grey_jpeg_stays_grey() -> None:
    assert decode(FILE, encoded(noise(9, 7), "JPEG")).shape == (9, 7)


def test_the_first_of_several_frames_is_read() -> None:
    first, second = np.zeros((5, 6), np.uint8), np.full((5, 6), 255, np.uint8)
    pages = [Image.fromarray(second)]
    for form in ("GIF", "TIFF"):
        content = encoded(Image.fromarray(first), form, save_all=True, append_images=pages)
        np.testing.assert_array_equal(decode(FILE, content), first)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_that_exif_tells_is_applied(orientation: int, form: str) -> None:
    image = np.zeros((20, 32), np.uint8)
    image[:10, :16], image[10:, 16:] = 255, 128
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(image).convert("RGB"), form, exif=exif)
    found = decode(FILE, content)
    picture = Image.open(io.BytesIO(content))
    np.testing.assert_array_equal(found, np.asarray(ImageOps.exif_transpose(picture)))
    assert found.shape[:2] == ((20, 32) if orientation < 5 else (32, 20))


def test_damaged_exif_does_not_make_an_image_unreadable() -> None:
    content = encoded(np.full((4, 4), 7, np.uint8), "PNG", exif=b"Exif\0\0not exif at all")
    np.testing.assert_array_equal(decode(FILE, content), np.full((4, 4), 7))


def test_black_and_white_becomes_0_and_255() -> None:
    image = np.array([[True, False], [False, True]])
    np.testing.assert_array_equal(decode(FILE, encoded(image)), 255 * image)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_is_shown_on_white(mode: str) -> None:
    pixels = noise(6, 5, len(mode))
    found = decode(FILE, encoded(Image.fromarray(pixels, mode)))
    colour, opacity = pixels[..., :-1].astype(float), pixels[..., -1:].astype(float) / 255
    expected = colour * opacity + 255 * (1 - opacity)
    assert found.shape == ((6, 5) if mode == "LA" else (6, 5, 3))
    assert np.abs(found.reshape(expected.shape) - expected).max() <= 1


def test_a_palette_becomes_its_colours_and_one_of_grey_stays_grey() -> None:
    index = noise(6, 6) % 4
    colours = np.array([[0, 0, 0], [255, 0, 0], [1, 2, 3], [9, 9, 9]], np.uint8)
    grey = np.repeat(np.array([[200], [7], [0], [255]], np.uint8), 3, axis=1)
    for palette in (colours, grey):
        picture = Image.fromarray(index, "L")
        picture.putpalette(palette.tobytes())
        found = decode(FILE, encoded(picture))
        expected = palette[index]
        np.testing.assert_array_equal(found, expected if palette is colours else expected[..., 0])


def test_a_transparent_colour_of_a_palette_is_white() -> None:
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "L")
    picture.putpalette(bytes([255, 0, 0, 0, 0, 255]))
    found = decode(FILE, encoded(picture, "PNG", transparency=0))
    np.testing.assert_array_equal(found, [[[255, 255, 255], [0, 0, 255]]])


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_16_bits_are_scaled_by_their_full_range(form: str) -> None:
    values = np.array([[0, 128, 129, 256, 257, 32_896], [40_000, 65_000, 65_535, 1, 2, 3]])
    found = decode(FILE, encoded(values.astype(np.uint16), form))
    expected = [[round(int(v) * 255 / 65_535) for v in row] for row in values]
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_floating_point_numbers_in_0_to_1_become_0_to_255() -> None:
    values = np.array([[0, 0.25, 0.5, 1]], np.float32)
    np.testing.assert_array_equal(decode(FILE, encoded(values, "TIFF")), [[0, 64, 128, 255]])


@pytest.mark.parametrize(
    "values",
    [
        np.array([[0.5, 1.5]], np.float32),
        np.array([[-0.1, 1]], np.float32),
        np.array([[np.nan, 1]], np.float32),
        np.array([[0, 70_000]], np.int32),
        np.array([[-1, 7]], np.int32),
    ],
)
def test_numbers_without_a_known_white_are_refused(values: Array) -> None:
    with pytest.raises(DatasetError, match=r"some\.png: expected values from 0 to .* 8 bits"):
        decode(FILE, encoded(values, "TIFF"))


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_other_colour_spaces_become_rgb(mode: str) -> None:
    picture = Image.fromarray(noise(8, 8, 3)).convert(mode)
    content = encoded(picture, "TIFF" if mode == "CMYK" else "JPEG", quality=95)
    found = decode(FILE, content)
    assert found.shape == (8, 8, 3)
    assert found.dtype == np.uint8
    if mode == "CMYK":
        np.testing.assert_array_equal(found, np.asarray(picture.convert("RGB")))


def test_half_a_file_is_one_clear_line() -> None:
    for form in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"):
        content = encoded(noise(40, 40, 3), form)
        with pytest.raises(DatasetError, match=r"some\.png: expected an image, found") as caught:
            decode(FILE, content[: len(content) // 2])
        assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]))
def test_no_bytes_end_in_anything_but_an_image_or_one_clear_line(noise: bytes, form: str) -> None:
    content = noise
    if form:
        whole = encoded(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), form)
        content = whole[: 12 + len(noise) % 40] + noise + whole[40:]
    try:
        found = decode(FILE, content)
    except DatasetError as error:
        assert str(error).startswith("folder/some.png: expected an image")
        assert "\n" not in str(error)
    else:
        assert found.dtype == np.uint8
        assert found.ndim == 2 or found.shape[2] == 3


def test_a_program_in_postscript_is_not_run() -> None:
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(DatasetError, match="found another kind of file"):
        decode(FILE, content)


def test_a_large_jpeg_is_decoded_smaller_but_never_below_twice_what_is_asked_for() -> None:
    content = encoded(noise(800, 600, 3), "JPEG")
    whole, small = decode(FILE, content), decode(FILE, content, most=100)
    assert whole.shape == (800, 600, 3)
    assert 200 <= max(small.shape) < 800
    assert abs(small.shape[0] * 600 - small.shape[1] * 800) <= 800
    assert decode(FILE, content, most=500).shape == (800, 600, 3)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(noise(8, 8, 3), "JPEG"), "image/jpeg"),
        (encoded(noise(8, 8), "PNG"), "image/png"),
        (encoded(noise(8, 8, 3), "WEBP"), "image/webp"),
        (encoded(noise(8, 8, 3), "BMP"), None),
        (encoded(noise(8, 9, 3), "JPEG"), None),
        (encoded(noise(8, 8, 4), "PNG"), None),
        (encoded(noise(8, 8).astype(np.uint16), "PNG"), None),
        (encoded(noise(8, 8, 3), "JPEG") + b"a film", None),
        (encoded(noise(8, 8, 3), "JPEG") + bytes(5000), None),
        (encoded(noise(8, 8, 3), "JPEG", xmp=b"who took it"), None),
        (encoded(noise(8, 8, 3), "JPEG", comment=b"who took it"), None),
        (encoded(noise(8, 8, 3), "PNG", icc_profile=b"some profile"), None),
        (encoded(noise(8, 8, 3), "PNG", pnginfo=TEXT), None),
        (b"<svg/>", None),
    ],
)
def test_a_browser_is_given_files_that_hold_nothing_but_pixels(
    content: bytes, expected: str | None
) -> None:
    assert browser_type(content, 8) == expected


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_browser_is_not_told_where_a_picture_was_taken(form: str) -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    assert browser_type(encoded(noise(8, 8, 3), form, exif=exif), 8) is None


def test_a_file_that_has_changed_since_it_was_listed_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"12345")
    assert read_file(file, 5) == b"12345"
    assert check_unchanged(file, 5) == file.stat().st_mtime_ns
    file.write_bytes(b"123456")
    read: list[Callable[[Path, int], object]] = [read_file, check_unchanged]
    for look in read:
        with pytest.raises(DatasetError, match=r"a\.png: had 5 bytes .* 6 now; open .* again"):
            look(file, 5)
    file.unlink()
    for look in read:
        with pytest.raises(DatasetError, match=r"a\.png: expected an image, but it can't be read"):
            look(file, 5)
