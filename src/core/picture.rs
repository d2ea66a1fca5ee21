//! Images that are sent as messages: which encoding some bytes have, and pixels into one of them.

use std::fmt;
use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbaImage};

/// An encoding that images can be sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Windows bitmap.
    Bmp,
    /// GIF.
    Gif,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// Wireless bitmap: black and white.
    Wbmp,
}

/// Why pixels cannot be encoded.
#[derive(Debug)]
pub enum PictureError {
    /// There are not `width × height × 4` bytes, or none at all.
    Size,
    /// What the encoder says.
    Encoder(image::ImageError),
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size => f.write_str("the data must have width × height × 4 bytes, and some"),
            Self::Encoder(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PictureError {}

impl Encoding {
    /// All of them.
    const ALL: [Self; 5] = [Self::Bmp, Self::Gif, Self::Jpeg, Self::Png, Self::Wbmp];

    /// Its name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bmp => "bmp",
            Self::Gif => "gif",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Wbmp => "wbmp",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.name() == name)
    }

    /// The encoding of a file that begins with `bytes`, by its signature.
    #[must_use]
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        match image::guess_format(bytes) {
            Ok(ImageFormat::Bmp) => Some(Self::Bmp),
            Ok(ImageFormat::Gif) => Some(Self::Gif),
            Ok(ImageFormat::Jpeg) => Some(Self::Jpeg),
            Ok(ImageFormat::Png) => Some(Self::Png),
            // Type 0, no extension headers, then the width and the height, which are not 0.
            Err(_) if matches!(bytes, [0, 0, width, height, ..] if *width > 0 && *height > 0) => {
                Some(Self::Wbmp)
            }
            _ => None,
        }
    }

    /// Encodes pixels of four bytes: red, green, blue and opacity.
    ///
    /// # Errors
    /// The size is wrong, or more than the encoding can hold.
    pub fn encode(self, width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, PictureError> {
        let format = match self {
            Self::Bmp => ImageFormat::Bmp,
            Self::Gif => ImageFormat::Gif,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::Wbmp => return encode_wbmp(width, height, rgba),
        };
        let pixels = check_size(width, height, rgba)?;
        let image = RgbaImage::from_raw(width, height, pixels.to_vec());
        let image = image.ok_or(PictureError::Size)?;
        let image: DynamicImage = if self == Self::Jpeg {
            // It knows no opacity. What shines through is white, as on paper.
            flatten(&image).into()
        } else {
            image.into()
        };
        let mut file = Cursor::new(Vec::new());
        image
            .write_to(&mut file, format)
            .map_err(PictureError::Encoder)?;
        Ok(file.into_inner())
    }
}

fn check_size(width: u32, height: u32, rgba: &[u8]) -> Result<&[u8], PictureError> {
    let size = u128::from(width) * u128::from(height) * 4;
    if size > 0 && size == rgba.len() as u128 {
        Ok(rgba)
    } else {
        Err(PictureError::Size)
    }
}

fn flatten(image: &RgbaImage) -> image::RgbImage {
    image::RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, opacity] = image.get_pixel(x, y).0;
        image::Rgb([r, g, b].map(|value| over_white(value, opacity)))
    })
}

fn over_white(value: u8, opacity: u8) -> u8 {
    let opacity = u16::from(opacity);
    let mixed = (u16::from(value) * opacity + 255 * (255 - opacity) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

/// Wireless bitmap, type 0: a header, then one bit a pixel, white is 1, rows padded to bytes.
fn encode_wbmp(width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, PictureError> {
    let pixels = check_size(width, height, rgba)?;
    let mut file = vec![0, 0];
    push_multi_byte(&mut file, width);
    push_multi_byte(&mut file, height);
    for row in pixels.chunks_exact(width as usize * 4) {
        for eight in row.chunks(8 * 4) {
            let bits = eight.chunks_exact(4).enumerate();
            let byte = bits.fold(0u8, |byte, (bit, pixel)| {
                byte | (u8::from(is_light(pixel)) << (7 - bit))
            });
            file.push(byte);
        }
    }
    Ok(file)
}

fn is_light(pixel: &[u8]) -> bool {
    let &[r, g, b, opacity] = pixel else {
        return false;
    };
    let [r, g, b] = [r, g, b].map(|value| u32::from(over_white(value, opacity)));
    // ITU-R BT.601, in thousandths.
    299 * r + 587 * g + 114 * b >= 128 * 1000
}

/// Seven bits a byte, the highest first; all but the last have the eighth bit set.
fn push_multi_byte(file: &mut Vec<u8>, value: u32) {
    let groups = (32 - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = u8::try_from((value >> (group * 7)) & 0x7f).unwrap_or(0);
        file.push(if group > 0 { bits | 0x80 } else { bits });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> RgbaImage {
        RgbaImage::from_fn(10, 3, |x, y| {
            let value = if (x + y) % 2 == 0 { 255 } else { 0 };
            image::Rgba([value, value, value, 255])
        })
    }

    #[test]
    fn what_is_encoded_is_what_it_says_and_can_be_read() {
        let picture = picture();
        for encoding in Encoding::ALL {
            let file = encoding.encode(10, 3, &picture).expect("an image");
            assert_eq!(Encoding::of_file(&file), Some(encoding));
            if encoding != Encoding::Wbmp {
                let read = image::load_from_memory(&file).expect("a file").into_rgba8();
                assert_eq!(read.dimensions(), (10, 3));
                if encoding != Encoding::Jpeg {
                    assert_eq!(read, picture, "{encoding:?}");
                }
            }
        }
    }

    #[test]
    fn a_wireless_bitmap_bit_by_bit() {
        let file = Encoding::Wbmp.encode(10, 3, &picture()).expect("an image");
        assert_eq!(
            file,
            [
                0,
                0,
                10,
                3,
                0b1010_1010,
                0b1000_0000,
                0b0101_0101,
                0b0100_0000,
                0b1010_1010,
                0b1000_0000
            ]
        );
        let wide = vec![255; 300 * 4];
        let file = Encoding::Wbmp.encode(300, 1, &wide).expect("an image");
        assert_eq!(file[..5], [0, 0, 0x82, 0x2c, 1]);
    }

    #[test]
    fn what_shines_through_is_white() {
        assert_eq!(over_white(0, 0), 255);
        assert_eq!(over_white(7, 255), 7);
        assert_eq!(over_white(0, 128), 127);
    }

    #[test]
    fn sizes_are_checked_before_anything_else() {
        for (width, height, len) in [(0, 0, 0), (1, 1, 3), (2, 1, 4), (u32::MAX, u32::MAX, 4)] {
            for encoding in Encoding::ALL {
                let result = encoding.encode(width, height, &vec![0; len]);
                assert!(matches!(result, Err(PictureError::Size)));
            }
        }
        let tall = vec![0; 70_000 * 4];
        assert!(matches!(
            Encoding::Jpeg.encode(1, 70_000, &tall),
            Err(PictureError::Encoder(_))
        ));
    }
}
