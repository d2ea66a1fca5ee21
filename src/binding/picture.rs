//! Images that are sent as messages.

use napi::bindgen_prelude::BufferSlice;
use napi::{Env, Result, Status};
use napi_derive::napi;

use crate::core::picture::Encoding;

/// The encoding of an image file that begins with `bytes`: `'bmp'`, `'gif'`, `'jpeg'`, `'png'`, `'wbmp'`, or
/// null for all others.
#[napi(catch_unwind)]
#[must_use]
pub fn image_format(bytes: &[u8]) -> Option<&'static str> {
    Encoding::of_file(bytes).map(Encoding::name)
}

/// Encodes pixels of four bytes (red, green, blue, opacity) as an image file.
#[napi(catch_unwind)]
pub fn encode_image<'env>(
    env: &'env Env,
    format: String,
    width: u32,
    height: u32,
    rgba: &[u8],
) -> Result<BufferSlice<'env>> {
    let invalid = |reason: String| napi::Error::new(Status::InvalidArg, reason);
    let encoding = Encoding::of_name(&format).ok_or_else(|| invalid(format))?;
    let file = encoding
        .encode(width, height, rgba)
        .map_err(|error| invalid(error.to_string()))?;
    BufferSlice::copy_from(env, file)
}
