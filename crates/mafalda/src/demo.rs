//! Parts of the binary `mafalda-demo`: its arguments, its certificate, its way of reaching it. The binary joins them.

mod arguments;
mod certificate;
mod invitation;
mod log;

pub use arguments::Arguments;
pub use certificate::SelfSigned;
pub use invitation::Invitation;
