//! Operations on Routers.

use std::sync::Arc;

use mafalda_api::id::RouterId;
use mafalda_api::ortc;
use mafalda_api::router::RouterDump;
use mafalda_api::waist::{CreateRouter, Done, Event, Failure, Origin, UpdateMediaCodecs};
use rand::RngExt;

use crate::producer::MAPPED_SSRC_RANGE;
use crate::router::{Router, RouterKey};
use crate::worker::Worker;

impl Worker {
    pub(super) fn create_router(&mut self, command: &CreateRouter, origin: Origin) -> Result<Done, Failure> {
        if self.router_ids.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let capabilities = Arc::new(ortc::generate_router_rtp_capabilities(command.media_codecs.clone())?);
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

    /// Producers that there are keep their mapping, and Consumers of them what those offer.
    pub(super) fn update_media_codecs(&mut self, command: &UpdateMediaCodecs) -> Result<Done, Failure> {
        let key = self.router_key(command.id)?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(command.id))?;
        router.capabilities = Arc::new(ortc::generate_router_rtp_capabilities(command.media_codecs.clone())?);
        let rtp_capabilities = Arc::clone(&router.capabilities);
        self.turn.effects.tell(Event::RtpCapabilitiesChanged { id: command.id, rtp_capabilities });
        Ok(Done)
    }

    pub(super) fn dump_router(&self, id: RouterId) -> Result<Box<RouterDump>, Failure> {
        let router = self.routers.get(self.router_key(id)?).ok_or_else(|| Failure::not_found(id))?;
        Ok(Box::new(router.dump()))
    }

    pub(in crate::worker) fn router_key(&self, id: RouterId) -> Result<RouterKey, Failure> {
        self.router_ids.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }
}
