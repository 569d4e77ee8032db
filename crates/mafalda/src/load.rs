//! Parts of the binary `mafalda-load`: its arguments, and how it tells what happens. The binary joins them.

mod arguments;
mod screen;

pub use arguments::LoadArguments;
pub use screen::Screen;
