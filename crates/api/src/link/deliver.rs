//! The future that runs callbacks, in the order in which things happened.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::Poll;

use super::Link;
use super::queue::{Item, Next, Queue};
use crate::active_speaker_observer::ActiveSpeakerObserver;
use crate::audio_level_observer::AudioLevelObserver;
use crate::callbacks::Notice;
use crate::consumer::Consumer;
use crate::data_consumer::DataConsumer;
use crate::data_producer::DataProducer;
use crate::direct_transport::DirectTransport;
use crate::id::ObjectId;
use crate::mirror::Mirrored;
use crate::pipe_transport::PipeTransport;
use crate::plain_transport::PlainTransport;
use crate::producer::Producer;
use crate::router::{NewRtpObserver, NewTransport, Router};
use crate::waist::Egress;
use crate::webrtc_server::WebRtcServer;
use crate::webrtc_transport::WebRtcTransport;
use crate::worker::Worker;

/// Items that are delivered before other tasks of the thread get their turn. Larger saves switches; smaller lets others in
/// sooner: what one takes is up to the application's callbacks.
const ITEMS_PER_TURN_MAX: usize = 64;
/// What comes out of one DirectTransport before others have their turn, and events theirs. Larger saves a step through the queue, smaller
/// lets a pause or an end through sooner.
const EGRESS_PER_ITEM_MAX: usize = 64;

/// Runs callbacks until the backend or the last handle is gone, and sends off what was dropped when no call comes.
pub(super) async fn deliver(link: Weak<Link>, queue: Arc<Queue>) {
    poll_fn(|cx| {
        queue.register(cx.waker());
        if let Some(link) = link.upgrade() {
            link.poll_leaving(cx);
            link.poll_ahead(cx);
        }
        for _ in 0..ITEMS_PER_TURN_MAX {
            match queue.next() {
                Next::Item(item) => {
                    if tell(&link, &item) {
                        break;
                    }
                }
                Next::Nothing => return Poll::Pending,
                Next::Ended => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Whether that was a turn's work.
fn tell(link: &Weak<Link>, item: &Item) -> bool {
    match item {
        Item::Appeared(entry) => {
            if let Some(link) = link.upgrade() {
                announce(&link, entry);
            }
        }
        Item::Changed(entry, event) | Item::Passing(entry, event) if !entry.is_finished() => {
            entry.callbacks.call(&Notice::Changed(event));
        }
        Item::Closed(entry, cause) if !entry.is_finished() => {
            entry.callbacks.call(&Notice::Closing(cause));
            entry.finish();
        }
        Item::Media(transport) => return link.upgrade().is_some_and(|link| hand_out(&link, transport)),
        Item::Changed(..) | Item::Passing(..) | Item::Closed(..) => {}
    }
    false
}

/// Calls back for what has come out of a DirectTransport; whether there is more.
fn hand_out(link: &Link, transport: &Mirrored) -> bool {
    let Some(port) = transport.port() else { return false };
    for _ in 0..EGRESS_PER_ITEM_MAX {
        match port.next() {
            Some(Egress::Rtp { consumer, packets }) => {
                // What isn't known here yet has no callbacks.
                if let Some(consumer) = link.mirror.find(consumer) {
                    packets.iter().for_each(|packet| consumer.callbacks.call(&Notice::Rtp(packet)));
                }
            }
            Some(Egress::Rtcp(packets)) => {
                packets.iter().for_each(|packet| transport.callbacks.call(&Notice::Rtcp(packet)));
            }
            Some(Egress::Message { data_consumer, message }) => {
                if let (Some(consumer), Some(message)) =
                    (link.mirror.find(data_consumer), message.to_webrtc())
                {
                    consumer.callbacks.call(&Notice::Message(&message));
                }
            }
            None => return false,
        }
    }
    port.knock();
    true
}

/// Tells the callbacks of a new object's parent, and those of the WebRtcServer that it listens on.
pub(super) fn announce(link: &Arc<Link>, entry: &Arc<Mirrored>) {
    let parent = entry.parent().map_or(&link.callbacks, |parent| &parent.callbacks);
    let server = entry.webrtc_server().map(|server| &server.callbacks);
    for listeners in [Some(parent), server].into_iter().flatten().filter(|callbacks| !callbacks.is_empty()) {
        with_notice(link, entry, |notice| listeners.call(notice));
    }
}

fn with_notice(link: &Arc<Link>, entry: &Arc<Mirrored>, tell: impl FnOnce(&Notice<'_>)) -> Option<()> {
    match entry.id() {
        ObjectId::Worker(_) => tell(&Notice::NewWorker(&Worker::of(link, entry))),
        ObjectId::WebRtcServer(_) => tell(&Notice::NewWebRtcServer(&WebRtcServer::of(link, entry)?)),
        ObjectId::Router(_) => tell(&Notice::NewRouter(&Router::of(link, entry)?)),
        ObjectId::Transport(_) => with_transport(link, entry, tell)?,
        ObjectId::Producer(_) => tell(&Notice::NewProducer(&Producer::of(link, entry)?)),
        ObjectId::Consumer(_) => tell(&Notice::NewConsumer(&Consumer::of(link, entry)?)),
        ObjectId::DataProducer(_) => tell(&Notice::NewDataProducer(&DataProducer::of(link, entry)?)),
        ObjectId::DataConsumer(_) => tell(&Notice::NewDataConsumer(&DataConsumer::of(link, entry)?)),
        ObjectId::RtpObserver(_) => {
            if let Some(observer) = AudioLevelObserver::of(link, entry) {
                tell(&Notice::NewRtpObserver(NewRtpObserver::AudioLevel(&observer)));
            } else {
                let observer = ActiveSpeakerObserver::of(link, entry)?;
                tell(&Notice::NewRtpObserver(NewRtpObserver::ActiveSpeaker(&observer)));
            }
        }
    }
    Some(())
}

fn with_transport(link: &Arc<Link>, entry: &Arc<Mirrored>, tell: impl FnOnce(&Notice<'_>)) -> Option<()> {
    if let Some(transport) = WebRtcTransport::of(link, entry) {
        tell(&Notice::NewTransport(NewTransport::WebRtc(&transport)));
    } else if let Some(transport) = PlainTransport::of(link, entry) {
        tell(&Notice::NewTransport(NewTransport::Plain(&transport)));
    } else if let Some(transport) = PipeTransport::of(link, entry) {
        tell(&Notice::NewTransport(NewTransport::Pipe(&transport)));
    } else {
        let transport = DirectTransport::of(link, entry)?;
        tell(&Notice::NewTransport(NewTransport::Direct(&transport)));
    }
    Some(())
}
