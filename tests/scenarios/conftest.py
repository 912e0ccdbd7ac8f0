"""What scenarios share: a small city with its API on a port and real local carriers."""

from tests.fakes.small_city import city_carriers, small_city, whole_city

__all__ = ["city_carriers", "small_city", "whole_city"]
