use std::pin::Pin;
use std::task::{Poll, Waker};

use futures_core::Stream;

use super::*;
use crate::id::{TransportId, WorkerId};
use crate::waist::{BoxStream, CreateWorker, MediaPort, Position};
use crate::worker::WorkerLogLevel;

/// Never answers a create, and says that every close is done.
struct Silent;

struct OneSnapshot(bool);

const START: Position = Position { epoch: 1, sequence: 0 };

impl Backend for Silent {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Answer, Failure>> {
        match call.command {
            Command::Close(_) => Box::pin(async { Ok(Answer { reply: Done.into(), at: START }) }),
            _ => Box::pin(std::future::pending()),
        }
    }

    fn watch(&self, _: Scope, _: Option<Position>) -> BoxStream<'static, Update> {
        Box::pin(OneSnapshot(false))
    }

    fn media(&self, _: TransportId) -> Arc<dyn MediaPort> {
        unreachable!("it has no transports")
    }
}

impl Stream for OneSnapshot {
    type Item = Update;
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Update>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Update::Snapshot { at: START, objects: Vec::new() }))
    }
}

#[test]
fn a_create_given_up_that_never_comes_to_pass_is_forgotten() {
    let (link, [mut feed, mut deliver]) = Link::open(Arc::new(Silent));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(feed.as_mut().poll(&mut cx).is_pending());

    let id = WorkerId::new();
    let operation = CreateWorker {
        id,
        log_level: WorkerLogLevel::None,
        log_tags: Vec::new(),
        rtc_port_range: (1, 2),
        dtls_files: None,
        thread_initializer: None,
    };
    let mut create = Box::pin(link.create(id, Labels::default(), AppData::default(), operation));
    assert!(create.as_mut().poll(&mut cx).is_pending());
    assert_eq!(link.mirror.expected(), 1);
    drop(create);
    assert_eq!(link.mirror.expected(), 1, "it may still appear, and must be known then");

    assert!(deliver.as_mut().poll(&mut cx).is_pending());
    assert_eq!(link.mirror.expected(), 0);
}
