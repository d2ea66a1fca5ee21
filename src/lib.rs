//! The native half of the npm package `socket`: TCP and Unix sockets for Node.js on tokio.
//!
//! | layer | where | knows |
//! | --- | --- | --- |
//! | JavaScript | `lib/` | the shapes people know: `net.Socket`, `net.Server` |
//! | [`binding`] | `src/binding/` | Node-API; translates, never decides |
//! | [`core`] | `src/core/` | sockets, tasks, memory, order; nothing of JavaScript |
//!
//! Each knows the one below it and none above. `cargo test --no-default-features` builds the core
//! without Node-API in the dependency graph, and so proves it. `docs/ARCHITECTURE.md` has the
//! picture.

// The instruction and the library that it is about.
#[cfg(all(
    any(feature = "binding", test),
    target_arch = "x86_64",
    target_os = "linux",
    target_env = "gnu"
))]
mod aligned;
#[cfg(feature = "binding")]
pub mod binding;
pub mod core;
