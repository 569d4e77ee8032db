//! The pairs of PipeTransports that carry Producers between Routers, so that there is one between any two.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::exclusive::Exclusive;
use crate::id::RouterId;
use crate::pipe_transport::{PipeTransport, WeakPipeTransport};
use crate::transport::Transport;

/// The Routers that a pair is between, the lesser id first.
type Between = (RouterId, RouterId);

/// Where a pair is known, or is just being made.
type Place = Exclusive<Option<WeakEnds>>;

/// A pair, as seen from one of its Routers.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) here: PipeTransport,
    pub(crate) there: PipeTransport,
}

/// A pair that is not kept alive: its Consumers and Producers do that.
#[derive(Debug)]
pub(crate) struct WeakEnds {
    here: WeakPipeTransport,
    there: WeakPipeTransport,
}

/// The pairs. There are no more places than pairs, and calls that look for one.
#[derive(Debug, Default)]
pub(crate) struct Pipes(Mutex<HashMap<Between, Arc<Place>>>);

impl Ends {
    pub(crate) fn turned_if(self, turned: bool) -> Self {
        if turned { Self { here: self.there, there: self.here } } else { self }
    }

    pub(crate) fn downgrade(&self) -> WeakEnds {
        WeakEnds { here: self.here.downgrade(), there: self.there.downgrade() }
    }
}

impl WeakEnds {
    fn is_held(&self) -> bool {
        self.here.is_held() && self.there.is_held()
    }

    /// The pair, while both ends are there.
    pub(crate) fn upgrade(&self) -> Option<Ends> {
        let (here, there) = (self.here.upgrade()?, self.there.upgrade()?);
        (!here.closed() && !there.closed()).then_some(Ends { here, there })
    }
}

impl Pipes {
    /// Where the pair between two Routers is known.
    pub(crate) fn place(&self, between: Between) -> Arc<Place> {
        let mut places = self.0.lock().expect("no holder panics");
        // Those of calls that came to nothing go, too: nobody uses them, and there is nothing in them.
        places.retain(|_, place| !is_idle(place));
        Arc::clone(places.entry(between).or_default())
    }

    /// A pair may have ended: forgets it.
    pub(crate) fn tidy(&self, between: Between) {
        let mut places = self.0.lock().expect("no holder panics");
        if places.get(&between).is_some_and(is_idle) {
            places.remove(&between);
        }
    }
}

/// Whether nobody is about to use a place, nor is there a pair in it. Who is, holds it, and got it under the lock that the caller has.
fn is_idle(place: &Arc<Place>) -> bool {
    Arc::strong_count(place) == 1
        && place.peek(|known| !known.as_ref().is_some_and(WeakEnds::is_held)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_kept_while_somebody_uses_it() {
        let pipes = Pipes::default();
        let count = || pipes.0.lock().expect("free").len();
        let [a, b, c] = [(); 3].map(|()| RouterId::new());
        let used = pipes.place((a, b));
        assert!(Arc::ptr_eq(&used, &pipes.place((a, b))), "whoever comes meanwhile gets the same");
        (0..100).for_each(|_| drop(pipes.place((a, RouterId::new()))));
        assert_eq!(count(), 2, "the one in use, and the last");
        pipes.tidy((a, b));
        assert_eq!(count(), 2);
        drop(used);
        pipes.tidy((a, b));
        let last = pipes.place((b, c));
        assert_eq!(count(), 1);
        drop(last);
    }
}
