fn main() {
    // The linker flags of a Node.js addon; an engine built alone (`--no-default-features`) needs none.
    #[cfg(feature = "binding")]
    napi_build::setup();
}
