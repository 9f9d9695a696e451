#!/usr/bin/env python3
"""Writes reference.json: what Pillow, NumPy, SciPy, scikit-image and OpenCV make of synthetic pictures.

The tests of pixel, augment and corrupt compare with it. Run it here; it needs pillow numpy scipy scikit-image
opencv-python-headless.
"""
import base64, io, json, shutil, subprocess
import cv2
import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage
from skimage import color, filters, transform

def synthetic(c, h, w):
    """A gradient with steps, the same as synthetic() of the Go tests."""
    k, y, x = np.ogrid[:c, :h, :w]
    return ((5 * x + 3 * y + 40 * k + (x // 7 + y // 5) % 2 * 90) % 256).astype(np.uint8)

def pil(planes):
    return Image.fromarray(planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0))

def planes(image):
    a = np.asarray(image)
    return a[None] if a.ndim == 2 else a.transpose(2, 0, 1)

out = {}

def put(name, a):
    a = np.ascontiguousarray(a)
    assert a.dtype == np.uint8 and a.ndim == 3
    out[name] = {"shape": list(a.shape), "pixels": base64.b64encode(a.tobytes()).decode()}

def rounded(a):
    return np.uint8(np.round(np.clip(a, 0, 1) * 255))

# Files and their pixels.
def packed(name, format, image, **how):
    f = io.BytesIO()
    image.save(f, format, **how)
    put(name, planes(Image.open(io.BytesIO(f.getvalue())).convert("RGB")))
    out[name]["file"] = base64.b64encode(f.getvalue()).decode()

def jpeg(name, image, **how):
    packed(name, "JPEG", image, **how)

picture = pil(synthetic(3, 29, 37))
jpeg("jpeg-444", picture, quality=90, subsampling=0)
jpeg("jpeg-422", picture, quality=90, subsampling=1)
jpeg("jpeg-420", picture, quality=90, subsampling=2)
jpeg("jpeg-420-even", pil(synthetic(3, 32, 48)), quality=75, subsampling=2)
jpeg("jpeg-progressive", picture, quality=90, subsampling=2, progressive=True)
jpeg("jpeg-gray", pil(synthetic(1, 29, 37)), quality=90)
jpeg("jpeg-cmyk", picture.convert("CMYK"), quality=90)
packed("webp", "WEBP", picture, quality=90)
packed("webp-even", "WEBP", pil(synthetic(3, 32, 48)), quality=75)
packed("webp-alpha", "WEBP", Image.merge("RGBA", (*picture.split(), pil(synthetic(1, 29, 37) | 1))), quality=90)
packed("webp-lossless", "WEBP", picture, lossless=True)
packed("bmp", "BMP", picture)
packed("bmp-gray", "BMP", pil(synthetic(1, 29, 37)))
packed("bmp-palette", "BMP", picture.quantize(16))
packed("tiff", "TIFF", picture)
packed("tiff-lzw", "TIFF", picture, compression="tiff_lzw")
packed("tiff-deflate", "TIFF", picture, compression="tiff_adobe_deflate")
packed("tiff-gray", "TIFF", pil(synthetic(1, 29, 37)), compression="packbits")

# A random resized crop, from the file to the input.
file = io.BytesIO(base64.b64decode(out["jpeg-420-even"]["file"]))
put("cropped", planes(Image.open(file).crop((5, 3, 5 + 33, 3 + 21)).resize((24, 24), Image.BILINEAR)))

# Resizing.
gray = pil(synthetic(1, 29, 37))
for h, w in [(16, 16), (29, 20), (12, 37), (50, 61)]:
    put(f"bilinear-{h}x{w}", planes(gray.resize((w, h), Image.BILINEAR)))
    put(f"box-{h}x{w}", planes(gray.resize((w, h), Image.BOX)))
for size in [20, 29]:  # shorter side to size, then the centre, by torchvision's arithmetic
    short = picture.resize((int(size * 37 / 29), size), Image.BILINEAR)
    left = int(round((short.width - size) / 2.0))
    put(f"fit-{size}", planes(short.crop((left, 0, left + size, size))))

# Affine maps.
square = pil(synthetic(3, 32, 32))
put("rotate-30", planes(square.rotate(30, resample=Image.BILINEAR)))
put("rotate-201", planes(square.rotate(201, resample=Image.BILINEAR)))
put("shear-x", planes(square.transform((32, 32), Image.AFFINE, (1, 0.2, 0, 0, 1, 0), resample=Image.BILINEAR)))
put("translate-y", planes(square.transform((32, 32), Image.AFFINE, (1, 0, 0, 0, 1, -7), resample=Image.BILINEAR)))

# Operations of AugMix.
dull = pil(synthetic(3, 32, 32) // 3 + 60)
put("autocontrast", planes(ImageOps.autocontrast(dull)))
put("equalize", planes(ImageOps.equalize(dull)))
put("posterize-3", planes(ImageOps.posterize(square, 3)))
put("solarize-200", planes(ImageOps.solarize(square, 200)))

# Corruptions without a random part, as their authors' programs compute them.
def corruptions(name, x, blur, defocus, zooms, contrast, brightness, pixelate, quality):
    c, h, w = x.shape
    f = x / 255.0
    put(name + "gaussian-blur", rounded(np.stack([filters.gaussian(p, sigma=blur) for p in f])))
    radius, alias = defocus
    reach = np.arange(-8, 9)
    X, Y = np.meshgrid(reach, reach)
    disk = np.array(X**2 + Y**2 <= radius**2, dtype=np.float32)
    disk = cv2.GaussianBlur(disk / disk.sum(), ksize=(3, 3), sigmaX=alias)
    put(name + "defocus-blur", rounded(np.stack([cv2.filter2D(p, -1, disk) for p in f])))

    def clipped(p, factor):
        ch = int(np.ceil(h / factor))
        top = (h - ch) // 2
        p = ndimage.zoom(p[top:top + ch, top:top + ch], factor, order=1)
        trim = (p.shape[0] - h) // 2
        return p[trim:trim + h, trim:trim + h]

    zoomed = f + sum(np.stack([clipped(p, z) for p in f]) for z in zooms)
    put(name + "zoom-blur", rounded(zoomed / (len(zooms) + 1)))
    means = f.mean(axis=(1, 2), keepdims=True)
    put(name + "contrast", rounded((f - means) * contrast + means))
    hsv = color.rgb2hsv(np.broadcast_to(f, (3, h, w)).transpose(1, 2, 0))
    hsv[..., 2] = np.clip(hsv[..., 2] + brightness, 0, 1)
    put(name + "brightness", rounded(color.hsv2rgb(hsv).transpose(2, 0, 1)[:c]))
    small = pil(x).resize((int(w * pixelate), int(h * pixelate)), Image.BOX)
    put(name + "pixelate", planes(small.resize((w, h), Image.BOX)))
    file = io.BytesIO()
    pil(x).save(file, "JPEG", quality=quality)
    put(name + "jpeg", planes(Image.open(file)))

corruptions("cifar-3/", synthetic(3, 32, 32), 0.7, (0.5, 0.6), np.arange(1, 1.16, 0.01), 0.4, 0.15, 0.85, 58)
# (Where ImageMagick is at hand: its motion blur at 30 degrees.)
if magick := shutil.which("magick") or shutil.which("convert-im6.q16"):
    for radius, sigma, degrees in [(8, 2, 30), (15, 5, -70)]:
        file = io.BytesIO()
        pil(synthetic(1, 28, 28)).save(file, "PNG")
        png = subprocess.run([magick, "png:-", "-motion-blur", f"{radius}x{sigma}{degrees:+d}", "png:-"], input=file.getvalue(), capture_output=True, check=True).stdout
        put(f"motion-{radius}x{sigma}{degrees:+d}", planes(Image.open(io.BytesIO(png)).convert("L")))
corruptions("mnist-2/", synthetic(1, 28, 28), 2, (4, 0.5), np.arange(1, 1.16, 0.01), 0.3, 0.2, 0.5, 18)

# The geometry of MNIST-C on a digit-like picture with a black rim.
digit = np.zeros((1, 28, 28), np.uint8)
digit[0, 7:21, 7:21] = synthetic(1, 14, 14)

def warp(matrix):
    m = np.eye(3)
    m[:2, :2] = matrix
    m[:2, 2] = 13.5 - m[:2, :2] @ [13.5, 13.5]
    return rounded(transform.warp(digit[0] / 255.0, inverse_map=transform.AffineTransform(matrix=m)))[None]

put("mnist-2/scale", warp([[1 / 0.8, 0], [0, 1 / 0.8]]))
put("mnist-2/shear+", warp([[1, -np.sin(0.4)], [0, np.cos(0.4)]]))
put("mnist-2/shear-", warp([[1, np.sin(0.4)], [0, np.cos(0.4)]]))

# Interpolation and smoothing, as elastic uses them.
rough = synthetic(1, 28, 28)[0] / 255.0
put("smooth-reflect", rounded(ndimage.gaussian_filter(rough, 1.7, mode="reflect", truncate=3))[None])
y, x = np.mgrid[:28, :28].astype(float)
put("sample-reflect", rounded(ndimage.map_coordinates(rough, [y + 3.3 * np.sin(x), x - 0.4 * y + 4.25], order=1, mode="reflect"))[None])

with open("reference.json", "w") as file:
    json.dump(out, file, indent=0, sort_keys=True)
