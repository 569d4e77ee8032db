//! A value that one task has at a time, and others wait for without holding a thread. The crate has no runtime to borrow this from.

use std::fmt;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// The value, or who waits for it.
pub(crate) struct Exclusive<T>(Mutex<State<T>>);

struct State<T> {
    /// `None` while somebody has it.
    value: Option<T>,
    /// One per task that waits.
    waiting: Vec<Waker>,
}

/// The value in somebody's hands; dropping this gives it back.
pub(crate) struct Taken<'a, T> {
    home: &'a Exclusive<T>,
    /// `None` once it was given back.
    value: Option<T>,
}

impl<T> Exclusive<T> {
    /// Waits for the value.
    pub(crate) async fn take(&self) -> Taken<'_, T> {
        poll_fn(|cx| self.poll_take(cx)).await
    }

    fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Taken<'_, T>> {
        let mut state = self.0.lock().expect("no holder panics");
        if let Some(value) = state.value.take() {
            return Poll::Ready(Taken { home: self, value: Some(value) });
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Looks at the value; `None` while somebody has it.
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.lock().expect("no holder panics").value.as_ref().map(look)
    }
}

impl<T: Default> Default for Exclusive<T> {
    fn default() -> Self {
        Self(Mutex::new(State { value: Some(T::default()), waiting: Vec::new() }))
    }
}

impl<T> Deref for Taken<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is given back at the end only")
    }
}

impl<T> DerefMut for Taken<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is given back at the end only")
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.home.0.lock().expect("no holder panics");
            state.value = self.value.take();
            std::mem::take(&mut state.waiting)
        };
        // All of them: one that was given up in the meantime would not wake the next.
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl<T> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exclusive")
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn one_has_it_and_the_next_gets_what_it_left() {
        let shared = Exclusive::<u32>::default();
        let [one, other] = [(); 2].map(|()| Waker::from(Arc::new(Nobody)));
        let mut cx = Context::from_waker(&one);
        let Poll::Ready(mut first) = pin!(shared.take()).poll(&mut cx) else { panic!("it is free") };
        let mut second = pin!(shared.take());
        let mut given_up = Box::pin(shared.take());
        assert!(second.as_mut().poll(&mut cx).is_pending() && given_up.as_mut().poll(&mut cx).is_pending());
        // The same task again, and another one.
        assert!(second.as_mut().poll(&mut cx).is_pending());
        assert!(given_up.as_mut().poll(&mut Context::from_waker(&other)).is_pending());
        assert!(shared.0.lock().expect("free").waiting.len() == 2, "one entry per task");
        assert_eq!(shared.peek(|value| *value), None);
        *first = 7;
        drop((first, given_up));
        let Poll::Ready(second) = second.poll(&mut cx) else { panic!("it is free again") };
        assert_eq!(*second, 7);
        drop(second);
        assert_eq!(shared.peek(|value| *value), Some(7));
    }
}
