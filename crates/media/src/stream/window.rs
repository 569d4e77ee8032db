//! A bounded window of values named by index, with holes.

use std::collections::VecDeque;

use crate::sys;

/// How many places there may be for each that is in use.
const SPARSE: usize = 8;

/// Values for a run of indices, found in constant time. The oldest slot is never a hole.
///
/// It grows by doubling up to its bound and never shrinks by itself, so that a stream in steady state doesn't allocate; a quiet
/// stream has a small one, and one that became quiet gets it by [`IndexWindow::trim`].
#[derive(Clone, Debug)]
pub(super) struct IndexWindow<T> {
    first: u64,
    slots: VecDeque<Option<T>>,
    span_max: usize,
}

impl<T> IndexWindow<T> {
    /// An empty window over at most `span_max` consecutive indices.
    pub(super) fn new(span_max: usize) -> Self {
        Self { first: 0, slots: VecDeque::new(), span_max }
    }

    pub(super) fn get(&self, index: u64) -> Option<&T> {
        self.slots.get(self.place(index)?)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u64) -> Option<&mut T> {
        let place = self.place(index)?;
        self.slots.get_mut(place)?.as_mut()
    }

    pub(super) fn oldest(&self) -> Option<&T> {
        self.slots.front()?.as_ref()
    }

    /// Brings near where the next `count` values go: behind the newest, or in the place of the oldest when all memory is in use.
    pub(super) fn warm(&self, count: usize) {
        let is_full = self.slots.len() == self.slots.capacity();
        if let Some(slot) = if is_full { self.slots.front() } else { self.slots.back() } {
            sys::prefetch_from(slot, size_of::<Option<T>>() * (count + usize::from(!is_full)));
        }
    }

    /// Takes the oldest value out.
    pub(super) fn pop_oldest(&mut self) -> Option<T> {
        let value = self.slots.pop_front()?;
        self.first += 1;
        while self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.first += 1;
        }
        value
    }

    /// Whether `index` is ahead of the window by so much that oldest values must be popped before it can be inserted.
    pub(super) fn overflows(&self, index: u64) -> bool {
        !self.slots.is_empty() && index.saturating_sub(self.first) >= self.span_max as u64
    }

    /// Pops values until `index` lies within the span, and until it fits into the memory there is as long as the oldest value is of no
    /// use any more. So a value is looked at for the last time when its place is about to be written.
    pub(super) fn make_room(&mut self, index: u64, is_useless: impl Fn(&T) -> bool) {
        let is_full = |slots: &VecDeque<Option<T>>| slots.len() == slots.capacity();
        while self.overflows(index) || is_full(&self.slots) && self.oldest().is_some_and(&is_useless) {
            self.pop_oldest();
        }
    }

    /// Puts `value` at `index`, in front of the window too if the span allows it. Gives it back if there is one already, or no room.
    pub(super) fn insert(&mut self, index: u64, value: T) -> Result<(), T> {
        if self.slots.is_empty() {
            self.first = index;
        }
        if index.wrapping_sub(self.first) == self.slots.len() as u64 && self.slots.len() < self.span_max {
            // The usual case: right behind the newest.
            self.slots.push_back(Some(value));
            return Ok(());
        }
        if self.overflows(index) || self.first.saturating_sub(index) > self.room() as u64 {
            return Err(value);
        }
        while self.first > index {
            self.slots.push_front(None);
            self.first -= 1;
        }
        let place = (index - self.first) as usize;
        while self.slots.len() <= place {
            self.slots.push_back(None);
        }
        match &mut self.slots[place] {
            Some(_) => Err(value),
            hole => {
                *hole = Some(value);
                Ok(())
            }
        }
    }

    /// Gives memory back where not one place in eight is in use. Less waste is left, so that what comes and goes doesn't allocate.
    pub(super) fn trim(&mut self) {
        if self.slots.capacity() / SPARSE > self.slots.len() {
            self.slots.shrink_to(self.slots.len() * 2);
        }
    }

    fn room(&self) -> usize {
        self.span_max - self.slots.len()
    }

    fn place(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn holes_are_holes_and_the_oldest_is_a_value() {
        let mut window = IndexWindow::new(8);
        window.insert(10, 'a').unwrap();
        window.insert(13, 'b').unwrap();
        assert_eq!((window.get(10), window.get(11), window.get(14)), (Some(&'a'), None, None));
        assert_eq!(window.pop_oldest(), Some('a'));
        assert_eq!(window.oldest(), Some(&'b'));
        assert_eq!(window.insert(11, 'c'), Ok(()));
        assert_eq!(window.insert(11, 'd'), Err('d'));
        assert_eq!(
            (window.pop_oldest(), window.pop_oldest(), window.pop_oldest()),
            (Some('c'), Some('b'), None)
        );
    }

    #[test]
    fn the_span_is_kept() {
        let mut window = IndexWindow::new(4);
        window.insert(10, ()).unwrap();
        assert!(!window.overflows(13) && window.overflows(14));
        assert_eq!(window.insert(14, ()), Err(()));
        window.insert(7, ()).unwrap();
        assert_eq!(window.insert(6, ()), Err(()));
        assert_eq!(window.insert(11, ()), Err(()));
    }

    #[test]
    fn memory_that_is_hardly_used_is_given_back() {
        let mut window = IndexWindow::new(1024);
        (0..1024).for_each(|index| window.insert(index, index).unwrap());
        let capacity = window.slots.capacity();
        (0..800).for_each(|index| assert_eq!(window.pop_oldest(), Some(index)));
        window.trim();
        assert_eq!(window.slots.capacity(), capacity, "a fifth is enough");
        (800..1000).for_each(|index| assert_eq!(window.pop_oldest(), Some(index)));
        window.trim();
        assert!(window.slots.capacity() < 64);
        assert!((1000..1024).all(|index| window.get(index) == Some(&index)));
    }

    proptest! {
        #[test]
        fn it_is_a_map_with_a_bounded_span(indices in prop::collection::vec(0_u64..60, 1..200)) {
            let mut window = IndexWindow::new(16);
            let mut oracle: BTreeMap<u64, usize> = BTreeMap::new();
            for (value, index) in indices.into_iter().enumerate() {
                while window.overflows(index) {
                    prop_assert_eq!(window.pop_oldest(), oracle.pop_first().map(|entry| entry.1));
                }
                let last = oracle.last_key_value().map_or(index, |entry| *entry.0);
                let fits = last.abs_diff(index) < 16 || index > last;
                if window.insert(index, value).is_ok() {
                    prop_assert!(fits && oracle.insert(index, value).is_none());
                } else {
                    prop_assert!(!fits || oracle.contains_key(&index));
                }
                for index in 0..60 {
                    prop_assert_eq!(window.get(index), oracle.get(&index));
                }
            }
        }
    }
}
