"""Signals as constraints: images, gradients, shapes and sounds as ordinary problems, made by a builder and solved by ``solve``."""

from pinnsine.fit.audio import audio as audio
from pinnsine.fit.audio import plot_sound as plot_sound
from pinnsine.fit.audio import snr as snr
from pinnsine.fit.audio import sound as sound
from pinnsine.fit.audio import write_sound as write_sound
from pinnsine.fit.blend import blend as blend
from pinnsine.fit.blend import clone as clone
from pinnsine.fit.dct import poisson_dct as poisson_dct
from pinnsine.fit.image import image as image
from pinnsine.fit.image import video as video
from pinnsine.fit.picture import film as film
from pinnsine.fit.picture import plot_image as plot_image
from pinnsine.fit.picture import render as render
from pinnsine.fit.poisson import poisson as poisson
from pinnsine.fit.quality import Quality as Quality
from pinnsine.fit.quality import psnr as psnr
from pinnsine.fit.quality import quality as quality
from pinnsine.fit.quality import ssim as ssim
from pinnsine.fit.quality import stop_at as stop_at
from pinnsine.fit.restore import inpaint as inpaint
from pinnsine.fit.restore import super_resolve as super_resolve
from pinnsine.fit.sdf import sdf as sdf
from pinnsine.fit.shape_quality import distance_error as distance_error
from pinnsine.fit.shape_quality import surface_gap as surface_gap
from pinnsine.fit.stencil import gradient as gradient
from pinnsine.fit.stencil import laplacian as laplacian
