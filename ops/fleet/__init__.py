"""What stands around the scanners: calls for help, incidents, doors, sponsors' leads.

Everything here is plain SQL on the pool of the CRM and never on the scan's path. Calls
and leads are made on devices, may wait there without a network and come twice: their
ids are made by the device, and a second one gets the first answer. Nothing here changes
who is inside.
"""
