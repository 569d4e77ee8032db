//! The scene of most tests: Alice sends, Bob receives, a Router between them.

use std::time::Duration;

use mafalda_api::id::RouterId;
use mafalda_testkit::media::{Codec, Inbox};
use mafalda_testkit::{
    Conditions, JoinSettings, PeerId, Receiving, Sending, TrackSettings, World, browser_capabilities,
};

/// One way between a client and the server.
pub(crate) const DELAY: Duration = Duration::from_millis(25);

/// A client that receives, or sends with the Router's payload types.
pub(crate) fn far() -> JoinSettings {
    JoinSettings { conditions: Conditions::delayed(DELAY), ..JoinSettings::default() }
}

/// A client that sends: its payload types and header extension ids are its own.
pub(crate) fn sender() -> JoinSettings {
    JoinSettings { capabilities: Some(browser_capabilities()), ..far() }
}

/// Everybody is connected, nothing flows yet.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) router: RouterId,
    pub(crate) alice: PeerId,
    pub(crate) bob: PeerId,
}

impl Scene {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let router = world.create_router();
        let (alice, bob) = (world.join(router, &sender()), world.join(router, &far()));
        let connected = world.run_until(Duration::from_secs(2), |world| {
            [alice, bob].into_iter().all(|peer| world.peer(peer).is_connected())
        });
        assert!(connected);
        Self { world, router, alice, bob }
    }

    /// Alice's media goes to Bob.
    pub(crate) fn flow(&mut self, codec: Codec) -> (Sending, Receiving) {
        let sending = self.world.produce(self.alice, &TrackSettings::usual(codec));
        let receiving = self.world.consume(self.bob, sending.producer);
        (sending, receiving)
    }

    pub(crate) fn inbox(&self, receiving: Receiving) -> &Inbox {
        self.world.peer(receiving.peer).log().inbox(receiving.ssrc)
    }

    pub(crate) fn run(&mut self, seconds: u64) {
        self.world.run(Duration::from_secs(seconds));
    }
}
