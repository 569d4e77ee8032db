use serde_json::json;

use super::*;

#[test]
fn in_json_a_rotation_is_its_degrees() {
    for (rotation, degrees) in [
        (Rotation::None, 0),
        (Rotation::Clockwise, 90),
        (Rotation::Rotate180, 180),
        (Rotation::CounterClockwise, 270),
    ] {
        let orientation = ProducerVideoOrientation { camera: true, flip: false, rotation };
        let text = json!({ "camera": true, "flip": false, "rotation": degrees });
        assert_eq!(serde_json::to_value(orientation).unwrap(), text);
        assert_eq!(serde_json::from_value::<ProducerVideoOrientation>(text).unwrap(), orientation);
    }
    let wrong = json!({ "camera": true, "flip": false, "rotation": 45 });
    serde_json::from_value::<ProducerVideoOrientation>(wrong).unwrap_err();
}
