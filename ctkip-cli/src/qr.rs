//! QR codes: read from pictures, drawn in terminals and into files.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, Luma};
use qrcode::render::{svg, unicode};
use qrcode::{Color, EcLevel, QrCode};

use crate::error::{Failure, Status};

/// The largest picture that is looked at, in pixels a side, and in octets of memory.
const MAX_SIDE: u32 = 10_000;
const MAX_MEMORY: u64 = 512 << 20;

/// Pixels to a module of a code that is drawn.
const SCALE: u32 = 8;
/// The margin that readers want, in modules.
const MARGIN: u32 = 4;

/// The text of the QR code in a PNG or JPEG picture. `None`: this is no such picture.
pub(crate) fn text_in_picture(content: &[u8]) -> Result<Option<String>, Failure> {
    let format = match content {
        [0x89, b'P', b'N', b'G', ..] => ImageFormat::Png,
        [0xFF, 0xD8, 0xFF, ..] => ImageFormat::Jpeg,
        _ => return Ok(None),
    };
    let failed = |what: String| {
        let next = "Take a sharper or larger picture of the QR code alone, or type in its link.";
        Failure::new(Status::Usage, "qr", what, next)
    };
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture =
        reader.decode().map_err(|error| failed(format!("the picture cannot be read: {error}")))?;
    let mut unreadable = None;
    for text in codes(&picture) {
        match text {
            Ok(text) => return Ok(Some(text)),
            Err(error) => unreadable = Some(error),
        }
    }
    Err(failed(unreadable.map_or_else(
        || "there is no QR code in the picture".into(),
        |error| format!("the QR code in the picture cannot be read: {error}"),
    )))
}

/// What stands in the codes of a picture.
fn codes(picture: &DynamicImage) -> Vec<Result<String, rqrr::DeQRError>> {
    // Transparent pixels count as paper.
    let pixels = picture.to_luma_alpha8();
    let paper = |luma: u8, alpha: u8| {
        let shade = 255 - (255 - u32::from(luma)) * u32::from(alpha) / 255;
        u8::try_from(shade).unwrap_or(u8::MAX)
    };
    let side = |length: u32| usize::try_from(length).unwrap_or_default();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(
        side(pixels.width()),
        side(pixels.height()),
        |x, y| {
            let [x, y] = [x, y].map(|at| u32::try_from(at).unwrap_or_default());
            let [luma, alpha] = pixels.get_pixel(x, y).0;
            paper(luma, alpha)
        },
    );
    prepared.detect_grids().iter().map(|grid| grid.decode().map(|(_, text)| text)).collect()
}

/// A QR code of the highest error correction, as stoken makes them.
pub(crate) fn encode(text: &str) -> Result<QrCode, Failure> {
    QrCode::with_error_correction_level(text, EcLevel::H).map_err(|error| {
        Failure::usage(format!("no QR code can hold it: {error}"), "Choose another form.")
    })
}

/// In half blocks, for a terminal.
pub(crate) fn for_terminal(code: &QrCode) -> String {
    // Blocks are drawn for what is light, since most terminals are dark.
    let mut text = code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build();
    text.push('\n');
    text
}

/// As the file's ending asks: SVG, or else PNG.
pub(crate) fn for_file(code: &QrCode, path: &Path) -> Result<Vec<u8>, Failure> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg")) {
        return Ok(code.render::<svg::Color<'_>>().build().into_bytes());
    }
    let width = u32::try_from(code.width()).unwrap_or_default();
    let side = (width + 2 * MARGIN) * SCALE;
    let modules = code.to_colors();
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at / SCALE).checked_sub(MARGIN).filter(|at| *at < width);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| {
            let index = usize::try_from(y * width + x).unwrap_or(usize::MAX);
            modules.get(index) == Some(&Color::Dark)
        });
        Luma([if dark { 0 } else { 255 }])
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| {
        Failure::usage(format!("the picture cannot be made: {error}"), "Use a file named .svg.")
    })?;
    Ok(png.into_inner())
}
