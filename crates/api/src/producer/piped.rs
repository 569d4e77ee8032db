//! A Producer that lives as long as what it carries on.

use std::ops::Deref;

use super::Producer;
use crate::consumer::{Consumer, WeakConsumer};

/// A Producer that carries on another Router's. Dropping it doesn't close it: it ends with the pipe Consumer that it gets its
/// streams from, and that with the Producer at the other end.
#[derive(Debug)]
pub struct PipedProducer {
    /// `None` once it was taken out.
    producer: Option<Producer>,
    source: WeakConsumer,
}

impl PipedProducer {
    pub(crate) fn new(producer: Producer, source: &Consumer) -> Self {
        Self { producer: Some(producer), source: source.downgrade() }
    }

    /// The Producer as others are: it closes when its last handle goes.
    ///
    /// # Panics
    ///
    /// Never: it is there until this.
    #[must_use]
    pub fn into_inner(mut self) -> Producer {
        self.producer.take().expect("it is there until it is taken out")
    }
}

impl Deref for PipedProducer {
    type Target = Producer;

    fn deref(&self) -> &Producer {
        self.producer.as_ref().expect("it is there until it is taken out")
    }
}

impl Drop for PipedProducer {
    /// Leaves the Producer to the callbacks of the Consumer, which are dropped when that ends.
    fn drop(&mut self) {
        if let (Some(producer), Some(source)) = (self.producer.take(), self.source.upgrade()) {
            source.on_close(move || drop(producer)).detach();
        }
    }
}
