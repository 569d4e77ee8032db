//! What was changed here without waiting: the mirror shows it at once, the call is on its way.
//!
//! Only a Router's codecs change so. An entry stays until its call is answered, and a later change of the same Router takes its
//! place: then nobody hears of a refusal of the earlier one, whose outcome is no longer to be seen. So there are never more than
//! there are Routers.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use crate::id::RouterId;
use crate::types::rtp_parameters::RtpCapabilitiesFinalized;
use crate::waist::{BoxFuture, Failure};

#[derive(Default)]
pub(crate) struct Ahead(Mutex<BTreeMap<RouterId, Unsettled>>);

/// A call that is on its way.
pub(crate) struct Unsettled {
    pub(crate) rtp_capabilities: Arc<RtpCapabilitiesFinalized>,
    /// Done when the mirror shows its outcome.
    pub(crate) call: BoxFuture<'static, Result<(), Failure>>,
}

impl Ahead {
    pub(crate) fn set(&self, router: RouterId, update: Unsettled) {
        let overtaken = self.0.lock().expect("no holder panics").insert(router, update);
        drop(overtaken);
    }

    /// What the Router will have, unless that is refused.
    pub(crate) fn rtp_capabilities(&self, router: RouterId) -> Option<Arc<RtpCapabilitiesFinalized>> {
        let updates = self.0.lock().expect("no holder panics");
        updates.get(&router).map(|update| Arc::clone(&update.rtp_capabilities))
    }

    /// Goes through the calls; gives back those that failed.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Vec<(RouterId, Failure)> {
        let mut updates = self.0.lock().expect("no holder panics");
        let mut failed = Vec::new();
        for (router, mut update) in mem::take(&mut *updates) {
            match update.call.as_mut().poll(cx) {
                Poll::Pending => drop(updates.insert(router, update)),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(failure)) => failed.push((router, failure)),
            }
        }
        failed
    }
}
