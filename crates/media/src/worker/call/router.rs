//! Operations on Routers.

use mafalda_api::id::RouterId;
use mafalda_api::ortc;
use mafalda_api::router::RouterDump;
use mafalda_api::waist::{CreateRouter, Done, Event, Failure, Origin};
use rand::RngExt;

use crate::producer::MAPPED_SSRC_RANGE;
use crate::router::{Router, RouterKey};
use crate::worker::Worker;

impl Worker {
    pub(super) fn create_router(&mut self, command: &CreateRouter, origin: Origin) -> Result<Done, Failure> {
        if self.router_ids.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let capabilities = ortc::generate_router_rtp_capabilities(command.media_codecs.clone())?;
        let first_mapped_ssrc = self.turn.rng.random_range(MAPPED_SSRC_RANGE);
        let key = self
            .routers
            .insert_with_key(|key| Router::new(key, command.id, origin, capabilities, first_mapped_ssrc));
        self.router_ids.insert(command.id, key);
        if let Some(router) = self.routers.get(key) {
            let state = router.state(self.id);
            self.turn.effects.tell(Event::Appeared(state.into()));
        }
        Ok(Done)
    }

    pub(super) fn dump_router(&self, id: RouterId) -> Result<RouterDump, Failure> {
        let router = self.routers.get(self.router_key(id)?).ok_or_else(|| Failure::not_found(id))?;
        Ok(router.dump())
    }

    pub(in crate::worker) fn router_key(&self, id: RouterId) -> Result<RouterKey, Failure> {
        self.router_ids.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }
}
