use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake};

use super::*;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll<F: Future>(future: Pin<&mut F>, count: &Arc<Count>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Arc::clone(count).into()))
}

fn at(epoch: u64, sequence: u64) -> Position {
    Position { epoch, sequence }
}

#[test]
fn only_those_who_may_go_on_are_woken() {
    let progress = Progress::default();
    let (early, late) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut to_five = pin!(progress.reached(at(1, 5)));
    let mut to_nine = pin!(progress.reached(at(1, 9)));
    assert!(poll(to_five.as_mut(), &early).is_pending());
    assert!(poll(to_nine.as_mut(), &late).is_pending());

    progress.advance(at(1, 6));
    assert_eq!((early.0.load(Ordering::Relaxed), late.0.load(Ordering::Relaxed)), (1, 0));
    assert_eq!(poll(to_five, &early), Poll::Ready(Ok(())));
    progress.advance(at(1, 9));
    assert_eq!(poll(to_nine, &late), Poll::Ready(Ok(())));
}

#[test]
fn a_later_epoch_is_waited_for_and_a_past_one_is_not() {
    let progress = Progress::default();
    let count = Arc::new(Count::default());
    progress.advance(at(9, 100));
    let mut ahead = pin!(progress.reached(at(4, 1)));
    assert!(poll(ahead.as_mut(), &count).is_pending());
    progress.advance(at(9, 101));
    assert!(poll(ahead.as_mut(), &count).is_pending());
    progress.advance(at(4, 0));
    assert!(poll(ahead.as_mut(), &count).is_pending(), "the right epoch, and not far enough");
    assert_eq!(poll(pin!(progress.reached(at(9, 1000))), &count), Poll::Ready(Ok(())));
    progress.advance(at(4, 1));
    assert_eq!(poll(ahead, &count), Poll::Ready(Ok(())));
    assert!(progress.follows(4) && !progress.follows(9));
}

#[test]
fn the_end_fails_who_waits_and_not_who_is_there() {
    let progress = Progress::default();
    let count = Arc::new(Count::default());
    progress.advance(at(1, 1));
    let mut waiting = pin!(progress.reached(at(1, 2)));
    let mut never = pin!(progress.unless_ended(std::future::pending::<()>()));
    assert!(poll(waiting.as_mut(), &count).is_pending() && poll(never.as_mut(), &count).is_pending());
    progress.end();
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert_eq!(poll(waiting, &count), Poll::Ready(Err(Ended)));
    assert_eq!(poll(never, &count), Poll::Ready(Err(Ended)));
    assert_eq!(poll(pin!(progress.reached(at(1, 1))), &count), Poll::Ready(Ok(())));
}

#[test]
fn who_gives_up_leaves_no_waker() {
    let progress = Progress::default();
    let count = Arc::new(Count::default());
    {
        let reached = pin!(progress.reached(at(1, 1)));
        let never = pin!(progress.unless_ended(std::future::pending::<()>()));
        assert!(poll(reached, &count).is_pending() && poll(never, &count).is_pending());
    }
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn past_epochs_are_bounded() {
    let progress = Progress::default();
    (0..100).for_each(|epoch| progress.advance(at(epoch, 0)));
    let state = progress.0.lock().unwrap();
    assert_eq!(state.past.len(), EPOCHS_MAX);
    assert!(state.past.contains(&98));
}
