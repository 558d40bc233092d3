"""Signals as constraints: images, gradients, shapes and sounds as ordinary problems, made by a builder and solved by ``solve``."""

from pinnsine.fit.image import image as image
from pinnsine.fit.picture import plot_image as plot_image
from pinnsine.fit.picture import render as render
from pinnsine.fit.quality import Quality as Quality
from pinnsine.fit.quality import psnr as psnr
from pinnsine.fit.quality import quality as quality
from pinnsine.fit.quality import ssim as ssim
from pinnsine.fit.quality import stop_at as stop_at
