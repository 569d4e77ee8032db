use mafalda_testkit::*; use mafalda_testkit::media::*; use std::time::Duration;
use mafalda_api::waist::*;
#[path="engine/scene.rs"] mod scene; use scene::*;
#[test] fn nortx() {
 let mut scene = Scene::new(0);
        let sending = scene.world.produce(scene.alice, &TrackSettings::usual(Codec::H264));
        let mut consume = scene.world.consume_operation(scene.bob, sending.producer);
        consume.enable_rtx = Some(false);
        let receiving = scene.world.consume_by(scene.bob, consume);
        println!("{:#?}", scene.world.consumer_state(receiving.consumer).rtp_parameters);
    let host = scene.world.peer(scene.bob).address().ip();
        scene.world.network().set(host, Access::Down, Conditions::delayed(DELAY).lossy(0.05));
    scene.run(6);
    println!("nacks {} {:?}", scene.world.peer(scene.bob).log().count_sent(RtcpKind::Nack), scene.world.drops(scene.world.worker()));
    println!("{:?}", scene.world.call(GetConsumerStats { id: receiving.consumer }).unwrap());
    println!("missing {:?}", scene.inbox(receiving).missing());
}
#[test] fn score() {
 let mut scene = Scene::new(0); let (s,r)=scene.flow(Codec::Vp8); scene.run(5);
 for e in scene.world.events().iter().filter(|e| matches!(e.1, Event::ProducerScoreChanged{..}|Event::ConsumerScoreChanged{..})) { println!("{e:?}"); }
 println!("{:?}", scene.world.call(GetProducerStats { id: s.producer }).unwrap());
 println!("{:?}", scene.world.call(DumpProducer { id: s.producer }).unwrap());
 println!("{:?}", scene.world.consumer_state(r.consumer).score);
}
#[test] fn twcc() {
    let mut scene = Scene::new(1);
    let (video, _) = scene.flow(Codec::Vp8);
    let (audio, _) = scene.flow(Codec::Opus);
    scene.run(5);
    let log = scene.world.peer(scene.alice).log();
    for (at, p) in log.rtcp_received() { if let Rtcp::Twcc(f) = p { println!("{at:?} base {} count {} ref {} fb {}", f.base_seq, f.status_count, f.reference_time, f.feedback_count); } }
}
