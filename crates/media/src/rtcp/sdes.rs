//! Source description (RFC 3550 §6.5), of which only the CNAME matters in WebRTC (RFC 8834 §4.8).

use super::{CompoundWriter, Full, packet_type};

/// Most bytes of a CNAME: its length has eight bits.
pub const CNAME_LEN_MAX: usize = 255;

/// Type of the item that ends a chunk.
const ITEM_END: u8 = 0;
/// Type of the item with the CNAME.
const ITEM_CNAME: u8 = 1;

/// Names of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sdes<'a> {
    chunks: &'a [u8],
    count: u8,
}

/// What is said about one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdesChunk<'a> {
    /// The source.
    pub ssrc: u32,
    /// The name that all streams of one endpoint and clock share; the first, should there be two.
    pub cname: Option<&'a [u8]>,
}

impl<'a> Sdes<'a> {
    pub(super) fn parse(body: &'a [u8], count: u8) -> Option<Self> {
        let sdes = Self { chunks: body, count };
        (sdes.chunks().count() == usize::from(count)).then_some(sdes)
    }

    /// Iterates over the sources.
    pub fn chunks(self) -> impl Iterator<Item = SdesChunk<'a>> + Clone {
        let mut rest = self.chunks;
        (0..self.count).map_while(move |_| {
            let (chunk, behind) = split_chunk(rest)?;
            rest = behind;
            Some(chunk)
        })
    }
}

/// Cuts the first chunk from `data`.
fn split_chunk(data: &[u8]) -> Option<(SdesChunk<'_>, &[u8])> {
    let (ssrc, mut rest) = data.split_first_chunk()?;
    let mut chunk = SdesChunk { ssrc: u32::from_be_bytes(*ssrc), cname: None };
    loop {
        let (&item, behind) = rest.split_first()?;
        if item == ITEM_END {
            // RFC 3550 §6.5: zeros fill the chunk up to the next word, one at least.
            let end = (data.len() - behind.len()).next_multiple_of(4);
            return Some((chunk, data.get(end..)?));
        }
        let (&len, behind) = behind.split_first()?;
        let (text, behind) = behind.split_at_checked(usize::from(len))?;
        if item == ITEM_CNAME && chunk.cname.is_none() {
            chunk.cname = Some(text);
        }
        rest = behind;
    }
}

impl CompoundWriter<'_> {
    /// Adds the CNAME of a source. Of a name longer than [`CNAME_LEN_MAX`], that many bytes are written.
    ///
    /// # Errors
    /// When it doesn't fit.
    pub fn sdes_cname(&mut self, ssrc: u32, cname: &[u8]) -> Result<(), Full> {
        let cname = cname.get(..CNAME_LEN_MAX).unwrap_or(cname);
        let end = 6 + cname.len();
        let body_len = (end + 1).next_multiple_of(4);
        let mut body = self.packet(packet_type::SDES, 1, body_len)?;
        body.put_u32(ssrc);
        body.put(&[ITEM_CNAME, cname.len() as u8]);
        body.put(cname);
        body.0.fill(ITEM_END);
        Ok(())
    }
}
