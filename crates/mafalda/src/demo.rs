//! Parts of the binary `mafalda-demo`: its arguments, its certificate, its way of reaching it, its port for media. The binary
//! joins them.

mod arguments;
mod certificate;
mod invitation;
mod log;
mod media_port;

pub use arguments::Arguments;
pub use certificate::SelfSigned;
pub use invitation::Invitation;
pub use media_port::share_port;
