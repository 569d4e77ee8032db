//! Whose an RTP packet is: by SSRC, else by MID, else by RID; what was found by a name is remembered by its SSRC, since
//! browsers stop sending the names after a few packets (RFC 8843 §9.2).

use hashbrown::{HashMap, HashSet};
use mafalda_api::id::ProducerId;
use mafalda_api::types::rtp_parameters::RtpParameters;
use mafalda_api::waist::{ErrorCode, Failure};

/// What an SSRC is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) producer: ProducerId,
    /// The stream's place among the Producer's encodings.
    pub(crate) encoding: usize,
    /// Whether it carries retransmissions (RFC 4588).
    pub(crate) rtx: bool,
}

/// The names in a packet by which its Producer can be found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Names<'a> {
    pub(crate) mid: Option<&'a str>,
    pub(crate) rid: Option<&'a str>,
    pub(crate) repaired_rid: Option<&'a str>,
}

/// One Transport's tables. Bounded by its Producers: an SSRC is remembered only in the place of an earlier one.
#[derive(Debug, Default)]
pub(crate) struct RtpListener {
    ssrcs: HashMap<u32, Source>,
    mids: HashMap<String, ProducerId>,
    rids: HashMap<String, Source>,
}

impl RtpListener {
    /// Adds a Producer by what its parameters name.
    ///
    /// # Errors
    /// When another Producer has one of the names already, or there is nothing to find it by.
    pub(crate) fn add(&mut self, producer: ProducerId, parameters: &RtpParameters) -> Result<(), Failure> {
        self.check(parameters)?;
        if let Some(mid) = &parameters.mid {
            self.mids.insert(mid.clone(), producer);
        }
        for (encoding, it) in parameters.encodings.iter().enumerate() {
            let source = Source { producer, encoding, rtx: false };
            if let Some(ssrc) = it.ssrc {
                self.ssrcs.insert(ssrc, source);
            }
            if let Some(rtx) = &it.rtx {
                self.ssrcs.insert(rtx.ssrc, Source { rtx: true, ..source });
            }
            // With a MID in the packets the RID alone would be ambiguous: it is only looked at behind the MID.
            if let Some(rid) = it.rid.as_ref().filter(|_| parameters.mid.is_none()) {
                self.rids.insert(rid.clone(), source);
            }
        }
        Ok(())
    }

    fn check(&self, parameters: &RtpParameters) -> Result<(), Failure> {
        if let Some(mid) = parameters.mid.as_ref().filter(|mid| self.mids.contains_key(*mid)) {
            return Err(taken(&format!("MID {mid:?}")));
        }
        let (mut ssrcs, mut rids) = (HashSet::new(), HashSet::new());
        for encoding in &parameters.encodings {
            for ssrc in encoding.ssrc.into_iter().chain(encoding.rtx.as_ref().map(|rtx| rtx.ssrc)) {
                if self.ssrcs.contains_key(&ssrc) {
                    return Err(taken(&format!("SSRC {ssrc}")));
                }
                if !ssrcs.insert(ssrc) {
                    return Err(twice(&format!("SSRC {ssrc}")));
                }
            }
            if let Some(rid) = &encoding.rid {
                // With a MID in the packets another Producer may have the same.
                if parameters.mid.is_none() && self.rids.contains_key(rid) {
                    return Err(taken(&format!("RID {rid:?}")));
                }
                if !rids.insert(rid) {
                    return Err(twice(&format!("RID {rid:?}")));
                }
            }
            if encoding.ssrc.is_none() && encoding.rid.is_none() && parameters.mid.is_none() {
                let detail = "an encoding with neither ssrc nor rid needs a mid to be found by";
                return Err(Failure::new(ErrorCode::InvalidArgument, detail));
            }
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, producer: ProducerId) {
        self.ssrcs.retain(|_, source| source.producer != producer);
        self.mids.retain(|_, other| *other != producer);
        self.rids.retain(|_, source| source.producer != producer);
    }

    pub(crate) fn by_ssrc(&self, ssrc: u32) -> Option<Source> {
        self.ssrcs.get(&ssrc).copied()
    }

    /// The Producer that the packet's names point to. Which of its streams a RID means is for the Producer to say.
    pub(crate) fn by_names(&self, names: Names<'_>) -> Option<ProducerId> {
        match names.mid {
            Some(mid) => self.mids.get(mid).copied(),
            None => {
                let rid = names.rid.or(names.repaired_rid)?;
                self.rids.get(rid).map(|source| source.producer)
            }
        }
    }

    /// Remembers an SSRC that was found by its names, in the place of the stream's earlier one.
    pub(crate) fn latch(&mut self, ssrc: u32, source: Source, earlier: Option<u32>) {
        if let Some(earlier) = earlier {
            self.ssrcs.remove(&earlier);
        }
        self.ssrcs.insert(ssrc, source);
    }

    pub(crate) fn ssrc_table(&self) -> Vec<(u32, ProducerId)> {
        sorted(self.ssrcs.iter().map(|(ssrc, source)| (*ssrc, source.producer)))
    }

    pub(crate) fn mid_table(&self) -> Vec<(String, ProducerId)> {
        sorted(self.mids.iter().map(|(mid, producer)| (mid.clone(), *producer)))
    }

    pub(crate) fn rid_table(&self) -> Vec<(String, ProducerId)> {
        sorted(self.rids.iter().map(|(rid, source)| (rid.clone(), source.producer)))
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

fn taken(what: &str) -> Failure {
    Failure::new(
        ErrorCode::InvalidArgument,
        format!("{what} is in use by another producer of this transport"),
    )
}

fn twice(what: &str) -> Failure {
    Failure::new(ErrorCode::InvalidArgument, format!("{what} is named by two encodings"))
}

#[cfg(test)]
mod tests {
    use mafalda_api::types::rtp_parameters::{RtpEncodingParameters, RtpEncodingParametersRtx};

    use super::*;

    fn parameters(mid: Option<&str>, ssrc: Option<u32>, rid: Option<&str>) -> RtpParameters {
        let encoding = RtpEncodingParameters {
            ssrc,
            rid: rid.map(Into::into),
            rtx: ssrc.map(|ssrc| RtpEncodingParametersRtx { ssrc: ssrc + 1 }),
            ..RtpEncodingParameters::default()
        };
        RtpParameters { mid: mid.map(Into::into), encodings: vec![encoding], ..RtpParameters::default() }
    }

    #[test]
    fn what_names_a_producer_finds_it() {
        let mut listener = RtpListener::default();
        let (first, second) = (ProducerId::new(), ProducerId::new());
        listener.add(first, &parameters(Some("0"), Some(10), None)).unwrap();
        listener.add(second, &parameters(None, None, Some("hi"))).unwrap();
        assert_eq!(listener.by_ssrc(10).map(|it| (it.producer, it.rtx)), Some((first, false)));
        assert_eq!(listener.by_ssrc(11).map(|it| (it.producer, it.rtx)), Some((first, true)));
        let names = Names { mid: Some("0"), ..Names::default() };
        assert_eq!(listener.by_names(names), Some(first));
        let names = Names { repaired_rid: Some("hi"), ..Names::default() };
        assert_eq!(listener.by_names(names), Some(second));
        assert_eq!(listener.by_names(Names::default()), None);
    }

    #[test]
    fn a_latched_ssrc_takes_the_place_of_the_one_before() {
        let mut listener = RtpListener::default();
        let producer = ProducerId::new();
        listener.add(producer, &parameters(Some("0"), None, None)).unwrap();
        let source = Source { producer, encoding: 0, rtx: false };
        listener.latch(70, source, None);
        listener.latch(71, source, Some(70));
        assert_eq!(listener.ssrc_table(), [(71, producer)]);
        listener.remove(producer);
        assert!(listener.ssrc_table().is_empty() && listener.mid_table().is_empty());
    }

    #[test]
    fn names_that_are_taken_or_missing_are_refused_and_leave_nothing_behind() {
        let mut listener = RtpListener::default();
        listener.add(ProducerId::new(), &parameters(Some("0"), Some(10), None)).unwrap();
        listener.add(ProducerId::new(), &parameters(None, None, Some("hi"))).unwrap();
        for wrong in [
            parameters(Some("0"), Some(20), None),
            parameters(Some("1"), Some(11), None),
            parameters(None, None, Some("hi")),
            parameters(None, None, None),
        ] {
            let failure = listener.add(ProducerId::new(), &wrong).unwrap_err();
            assert_eq!(failure.code, ErrorCode::InvalidArgument, "{failure}");
        }
        assert_eq!(
            (listener.ssrc_table().len(), listener.mid_table().len(), listener.rid_table().len()),
            (2, 1, 1)
        );
    }
}
