"""Which vision network, on which device, under these limits?"""
