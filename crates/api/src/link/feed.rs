//! The future that keeps the mirror.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::Poll;

use super::Link;
use super::progress::Progress;
use crate::waist::{BoxStream, Update};

/// Updates that are taken before other tasks of the thread get their turn. Larger saves switches; smaller lets a call's
/// answer through sooner while a long log comes in: 64 is well below a millisecond.
const UPDATES_PER_TURN_MAX: u32 = 64;

/// Takes updates until the backend or the last handle is gone. When it ends, or is dropped, so does every object.
pub(super) async fn feed(link: Weak<Link>, progress: Arc<Progress>, mut updates: BoxStream<'static, Update>) {
    let _end = EndOnDrop(Weak::clone(&link));
    let mut taken = 0;
    while let Ok(Some(update)) = progress.unless_ended(poll_fn(|cx| updates.as_mut().poll_next(cx))).await {
        let Some(link) = link.upgrade() else { return };
        link.take(update);
        drop(link);
        taken += 1;
        if taken % UPDATES_PER_TURN_MAX == 0 {
            yield_now().await;
        }
    }
}

struct EndOnDrop(Weak<Link>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if let Some(link) = self.0.upgrade() {
            link.end();
        }
    }
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
