import ssl

import pytest

from brokers.errors import ConfigError
from brokers.wire.portal_access import PortalAccess


def test_gateway_of_this_machine_needs_no_certificate():
    context = PortalAccess("https://localhost:5000").tls()
    assert context.verify_mode is ssl.CERT_NONE


def test_gateway_without_tls_is_allowed_on_this_machine_alone():
    assert PortalAccess("http://127.0.0.1:5000").tls() is None
    with pytest.raises(ConfigError, match="not encrypted: use https"):
        PortalAccess("http://gateway.example:5000")


def test_gateway_of_another_machine_must_show_a_known_certificate():
    with pytest.raises(ConfigError, match="name the PEM file"):
        PortalAccess("https://gateway.example:5000")


def test_gateway_of_another_machine_is_named_by_its_address():
    access = PortalAccess("https://gateway.example:5000", certificate="portal.pem")
    assert access.where == "Client Portal gateway at https://gateway.example:5000"


@pytest.mark.parametrize("url", ["localhost:5000", "ftp://localhost", ""])
def test_what_is_no_address_is_refused_with_one(url):
    with pytest.raises(ConfigError, match="write it as https://localhost:5000"):
        PortalAccess(url)
