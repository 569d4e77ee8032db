//! Which sessions have made an object, or something that lives in it.

use mafalda_api::id::SessionId;

/// The sessions, each with how many of these objects are its own.
///
/// Of most objects it is one. So this is a sorted list, where a tree would take three hundred bytes for the first.
#[derive(Debug, Default)]
pub(super) struct Makers(Vec<(SessionId, usize)>);

impl Makers {
    /// Those of an object that has just been made.
    pub(super) fn of(maker: Option<SessionId>) -> Self {
        Self(maker.map(|maker| vec![(maker, 1)]).unwrap_or_default())
    }

    /// A session has made one more; whether it is its first.
    pub(super) fn add(&mut self, session: SessionId) -> bool {
        match self.place(session) {
            Ok(place) => self.0[place].1 += 1,
            Err(place) => self.0.insert(place, (session, 1)),
        }
        self.place(session).is_ok_and(|place| self.0[place].1 == 1)
    }

    /// One of a session's is gone; whether it was its last.
    pub(super) fn remove(&mut self, session: SessionId) -> bool {
        let Ok(place) = self.place(session) else { return false };
        self.0[place].1 -= 1;
        let last = self.0[place].1 == 0;
        if last {
            self.0.remove(place);
        }
        last
    }

    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.place(session).is_ok()
    }

    /// Who they are now.
    pub(super) fn sessions(&self) -> Sessions {
        match self.0.as_slice() {
            [] => Sessions::None,
            [(session, _)] => Sessions::One(*session),
            several => Sessions::Several(several.iter().map(|(session, _)| *session).collect()),
        }
    }

    fn place(&self, session: SessionId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&session, |(session, _)| *session)
    }
}

/// Who they were at a moment. One takes no memory of its own: an event has this.
#[derive(Debug, Default)]
pub(super) enum Sessions {
    #[default]
    None,
    One(SessionId),
    Several(Box<[SessionId]>),
}

impl Sessions {
    pub(super) fn contains(&self, session: SessionId) -> bool {
        match self {
            Self::None => false,
            Self::One(one) => *one == session,
            Self::Several(several) => several.contains(&session),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_of_each_session_are_told() {
        let sessions: [SessionId; 3] = std::array::from_fn(|_| SessionId::new());
        let [one, two, three] = sessions;
        let mut makers = Makers::of(Some(one));
        assert!(!makers.add(one) && makers.add(two) && !makers.add(two));
        assert!(makers.contains(one) && makers.contains(two) && !makers.contains(three));
        assert!(!makers.remove(one) && makers.remove(one) && !makers.remove(one));
        assert!(!makers.contains(one) && makers.contains(two));
        assert!(!Makers::of(None).contains(one));
    }

    #[test]
    fn sessions_are_those_of_the_moment() {
        let (one, two) = (SessionId::new(), SessionId::new());
        let mut makers = Makers::of(None);
        let none = makers.sessions();
        makers.add(one);
        let single = makers.sessions();
        makers.add(two);
        let both = makers.sessions();
        assert!(!none.contains(one) && !none.contains(two));
        assert!(single.contains(one) && !single.contains(two));
        assert!(both.contains(one) && both.contains(two) && !both.contains(SessionId::new()));
    }
}
