"""Facts of a device profile that a buyer has to know, as reports hold them."""

from advisor.core.document import DeviceFacts
from advisor.hardware.profile import DeviceProfile, PriceProfile


def device_facts(profile: DeviceProfile) -> DeviceFacts:
    """Take price, power, memory and supply from a profile."""
    found: dict[str, object] = {
        "memory": profile.memory.capacity if profile.memory else None,
        "needs_host": profile.unit("cpu") is None,
    }
    if profile.price is not None:
        found |= _price(profile.price)
    if profile.power is not None:
        found |= {
            "power": profile.power.typical,
            "power_idle": profile.power.idle,
            "power_kind": str(profile.power.kind),
            "power_source": profile.power.origin.source,
            "power_confidence": str(profile.power.origin.confidence),
        }
    if profile.lifecycle is not None:
        found |= {
            "status": str(profile.lifecycle.status),
            "events": tuple((e.event, e.date, e.item or "") for e in profile.lifecycle.events),
            "note": profile.lifecycle.note or "",
            "status_source": profile.lifecycle.origin.source,
            "status_confidence": str(profile.lifecycle.origin.confidence),
        }
    return DeviceFacts.model_validate(found)


def _price(price: PriceProfile) -> dict[str, object]:
    """The latest price known; the one at launch only where there is no later one."""
    chosen = price.recent or price.launch
    origin = {
        "price_source": price.origin.source,
        "price_confidence": str(price.origin.confidence),
    }
    if chosen is None:
        return dict(origin)
    return origin | {
        "price": chosen.amount,
        "price_date": chosen.date or "",
        "price_item": chosen.item or "",
        "price_quantity": chosen.quantity,
        "price_is_launch": price.recent is None,
    }
