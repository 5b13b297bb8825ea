-- References last: the tables point at each other in circles.
ALTER TABLE public.contacts
    ADD CONSTRAINT fk_contacts_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.contacts
    ADD CONSTRAINT fk_contacts_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.contacts
    ADD CONSTRAINT fk_contacts_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.contacts
    ADD CONSTRAINT fk_contacts_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES public.profiles (id) ON DELETE CASCADE;
ALTER TABLE public.companies
    ADD CONSTRAINT fk_companies_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.companies
    ADD CONSTRAINT fk_companies_primary_contact_id_contacts FOREIGN KEY(primary_contact_id) REFERENCES public.contacts (id) ON DELETE SET NULL;
ALTER TABLE public.users
    ADD CONSTRAINT fk_users_manager_id_users FOREIGN KEY(manager_id) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.users
    ADD CONSTRAINT fk_users_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES public.profiles (id) ON DELETE CASCADE;
ALTER TABLE public.users
    ADD CONSTRAINT fk_users_role_id_roles FOREIGN KEY(role_id) REFERENCES public.roles (id) ON DELETE SET NULL;
ALTER TABLE public.tasks
    ADD CONSTRAINT fk_tasks_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.tasks
    ADD CONSTRAINT fk_tasks_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.tasks
    ADD CONSTRAINT fk_tasks_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE SET NULL;
ALTER TABLE public.tasks
    ADD CONSTRAINT fk_tasks_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.tasks
    ADD CONSTRAINT fk_tasks_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE SET NULL;
ALTER TABLE public.tasks
    ADD CONSTRAINT fk_tasks_opportunity_id_opportunities FOREIGN KEY(opportunity_id) REFERENCES public.opportunities (id) ON DELETE SET NULL;
ALTER TABLE public.notes
    ADD CONSTRAINT fk_notes_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.notes
    ADD CONSTRAINT fk_notes_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE SET NULL;
ALTER TABLE public.notes
    ADD CONSTRAINT fk_notes_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.notes
    ADD CONSTRAINT fk_notes_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE SET NULL;
ALTER TABLE public.notes
    ADD CONSTRAINT fk_notes_interaction_id_interactions FOREIGN KEY(interaction_id) REFERENCES public.interactions (id) ON DELETE SET NULL;
ALTER TABLE public.notes
    ADD CONSTRAINT fk_notes_opportunity_id_opportunities FOREIGN KEY(opportunity_id) REFERENCES public.opportunities (id) ON DELETE SET NULL;
ALTER TABLE public.leads
    ADD CONSTRAINT fk_leads_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.leads
    ADD CONSTRAINT fk_leads_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.leads
    ADD CONSTRAINT fk_leads_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE CASCADE;
ALTER TABLE public.leads
    ADD CONSTRAINT fk_leads_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.leads
    ADD CONSTRAINT fk_leads_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE SET NULL;
ALTER TABLE public.opportunities
    ADD CONSTRAINT fk_opportunities_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.opportunities
    ADD CONSTRAINT fk_opportunities_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.opportunities
    ADD CONSTRAINT fk_opportunities_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE CASCADE;
ALTER TABLE public.opportunities
    ADD CONSTRAINT fk_opportunities_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.opportunities
    ADD CONSTRAINT fk_opportunities_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE SET NULL;
ALTER TABLE public.opportunities
    ADD CONSTRAINT fk_opportunities_lead_id_leads FOREIGN KEY(lead_id) REFERENCES public.leads (id) ON DELETE CASCADE;
ALTER TABLE public.interactions
    ADD CONSTRAINT fk_interactions_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.interactions
    ADD CONSTRAINT fk_interactions_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE CASCADE;
ALTER TABLE public.interactions
    ADD CONSTRAINT fk_interactions_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.interactions
    ADD CONSTRAINT fk_interactions_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE SET NULL;
ALTER TABLE public.interactions
    ADD CONSTRAINT fk_interactions_opportunity_id_opportunities FOREIGN KEY(opportunity_id) REFERENCES public.opportunities (id) ON DELETE SET NULL;
ALTER TABLE public.campaigns
    ADD CONSTRAINT fk_campaigns_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.campaigns
    ADD CONSTRAINT fk_campaigns_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.campaigns
    ADD CONSTRAINT fk_campaigns_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE SET NULL;
ALTER TABLE public.campaign_recipients
    ADD CONSTRAINT fk_campaign_recipients_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES public.campaigns (id) ON DELETE CASCADE;
ALTER TABLE public.campaign_recipients
    ADD CONSTRAINT fk_campaign_recipients_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE CASCADE;
ALTER TABLE public.events
    ADD CONSTRAINT fk_events_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.events
    ADD CONSTRAINT fk_events_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES public.profiles (id) ON DELETE SET NULL;
ALTER TABLE public.events
    ADD CONSTRAINT fk_events_venue_id_venues FOREIGN KEY(venue_id) REFERENCES public.venues (id) ON DELETE SET NULL;
ALTER TABLE public.sessions
    ADD CONSTRAINT fk_sessions_area_id_areas FOREIGN KEY(area_id) REFERENCES ops.areas (id) ON DELETE SET NULL;
ALTER TABLE public.sessions
    ADD CONSTRAINT fk_sessions_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.sessions
    ADD CONSTRAINT fk_sessions_speaker_id_speakers FOREIGN KEY(speaker_id) REFERENCES public.speakers (id) ON DELETE SET NULL;
ALTER TABLE public.sessions
    ADD CONSTRAINT fk_sessions_venue_id_venues FOREIGN KEY(venue_id) REFERENCES public.venues (id) ON DELETE SET NULL;
ALTER TABLE public.speakers
    ADD CONSTRAINT fk_speakers_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.speakers
    ADD CONSTRAINT fk_speakers_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE CASCADE;
ALTER TABLE public.speakers
    ADD CONSTRAINT fk_speakers_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.sponsors
    ADD CONSTRAINT fk_sponsors_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.sponsors
    ADD CONSTRAINT fk_sponsors_company_id_companies FOREIGN KEY(company_id) REFERENCES public.companies (id) ON DELETE SET NULL;
ALTER TABLE public.sponsors
    ADD CONSTRAINT fk_sponsors_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE SET NULL;
ALTER TABLE public.sponsors
    ADD CONSTRAINT fk_sponsors_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.event_feedback
    ADD CONSTRAINT fk_event_feedback_attendee_id_attendees FOREIGN KEY(attendee_id) REFERENCES public.attendees (id) ON DELETE CASCADE;
ALTER TABLE public.event_feedback
    ADD CONSTRAINT fk_event_feedback_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.event_feedback
    ADD CONSTRAINT fk_event_feedback_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE SET NULL;
ALTER TABLE public.networking_connections
    ADD CONSTRAINT fk_networking_connections_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.networking_connections
    ADD CONSTRAINT fk_networking_connections_requester_id_attendees FOREIGN KEY(requester_id) REFERENCES public.attendees (id) ON DELETE CASCADE;
ALTER TABLE public.networking_connections
    ADD CONSTRAINT fk_networking_connections_target_id_attendees FOREIGN KEY(target_id) REFERENCES public.attendees (id) ON DELETE CASCADE;
ALTER TABLE public.event_materials
    ADD CONSTRAINT fk_event_materials_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.event_materials
    ADD CONSTRAINT fk_event_materials_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE SET NULL;
ALTER TABLE public.event_materials
    ADD CONSTRAINT fk_event_materials_uploaded_by_users FOREIGN KEY(uploaded_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.event_announcements
    ADD CONSTRAINT fk_event_announcements_author_id_users FOREIGN KEY(author_id) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.event_announcements
    ADD CONSTRAINT fk_event_announcements_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.event_announcements
    ADD CONSTRAINT fk_event_announcements_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE SET NULL;
ALTER TABLE public.event_analytics
    ADD CONSTRAINT fk_event_analytics_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.event_analytics
    ADD CONSTRAINT fk_event_analytics_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE SET NULL;
ALTER TABLE public.ticket_types
    ADD CONSTRAINT fk_ticket_types_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.orders
    ADD CONSTRAINT fk_orders_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE SET NULL;
ALTER TABLE public.orders
    ADD CONSTRAINT fk_orders_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.orders
    ADD CONSTRAINT fk_orders_profile_id_profiles FOREIGN KEY(profile_id) REFERENCES public.profiles (id) ON DELETE SET NULL;
ALTER TABLE public.orders
    ADD CONSTRAINT fk_orders_promoter_id_promoters FOREIGN KEY(promoter_id) REFERENCES public.promoters (id) ON DELETE SET NULL;
ALTER TABLE public.orders
    ADD CONSTRAINT fk_orders_voucher_id_vouchers FOREIGN KEY(voucher_id) REFERENCES public.vouchers (id) ON DELETE SET NULL;
ALTER TABLE public.attendees
    ADD CONSTRAINT fk_attendees_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE SET NULL;
ALTER TABLE public.attendees
    ADD CONSTRAINT fk_attendees_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.attendees
    ADD CONSTRAINT fk_attendees_order_id_orders FOREIGN KEY(order_id) REFERENCES public.orders (id) ON DELETE SET NULL;
ALTER TABLE public.tickets
    ADD CONSTRAINT fk_tickets_attendee_id_attendees FOREIGN KEY(attendee_id) REFERENCES public.attendees (id) ON DELETE SET NULL;
ALTER TABLE public.tickets
    ADD CONSTRAINT fk_tickets_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.tickets
    ADD CONSTRAINT fk_tickets_order_id_orders FOREIGN KEY(order_id) REFERENCES public.orders (id) ON DELETE SET NULL;
ALTER TABLE public.tickets
    ADD CONSTRAINT fk_tickets_ticket_type_id_ticket_types FOREIGN KEY(ticket_type_id) REFERENCES public.ticket_types (id);
ALTER TABLE public.bundles
    ADD CONSTRAINT fk_bundles_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.bundle_items
    ADD CONSTRAINT fk_bundle_items_bundle_id_bundles FOREIGN KEY(bundle_id) REFERENCES public.bundles (id) ON DELETE CASCADE;
ALTER TABLE public.bundle_items
    ADD CONSTRAINT fk_bundle_items_ticket_type_id_ticket_types FOREIGN KEY(ticket_type_id) REFERENCES public.ticket_types (id) ON DELETE CASCADE;
ALTER TABLE public.vouchers
    ADD CONSTRAINT fk_vouchers_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.vouchers
    ADD CONSTRAINT fk_vouchers_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE SET NULL;
ALTER TABLE public.promoters
    ADD CONSTRAINT fk_promoters_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.promoters
    ADD CONSTRAINT fk_promoters_contact_id_contacts FOREIGN KEY(contact_id) REFERENCES public.contacts (id) ON DELETE CASCADE;
ALTER TABLE public.promoter_commissions
    ADD CONSTRAINT fk_promoter_commissions_approved_by_users FOREIGN KEY(approved_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.promoter_commissions
    ADD CONSTRAINT fk_promoter_commissions_order_id_orders FOREIGN KEY(order_id) REFERENCES public.orders (id) ON DELETE CASCADE;
ALTER TABLE public.promoter_commissions
    ADD CONSTRAINT fk_promoter_commissions_promoter_id_promoters FOREIGN KEY(promoter_id) REFERENCES public.promoters (id) ON DELETE CASCADE;
ALTER TABLE public.promoter_commissions
    ADD CONSTRAINT fk_promoter_commissions_ticket_id_tickets FOREIGN KEY(ticket_id) REFERENCES public.tickets (id) ON DELETE SET NULL;
ALTER TABLE public.seat_maps
    ADD CONSTRAINT fk_seat_maps_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.seat_maps
    ADD CONSTRAINT fk_seat_maps_venue_id_venues FOREIGN KEY(venue_id) REFERENCES public.venues (id) ON DELETE SET NULL;
ALTER TABLE public.seat_assignments
    ADD CONSTRAINT fk_seat_assignments_assigned_by_users FOREIGN KEY(assigned_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE public.seat_assignments
    ADD CONSTRAINT fk_seat_assignments_attendee_id_attendees FOREIGN KEY(attendee_id) REFERENCES public.attendees (id) ON DELETE CASCADE;
ALTER TABLE public.seat_assignments
    ADD CONSTRAINT fk_seat_assignments_seat_map_id_seat_maps FOREIGN KEY(seat_map_id) REFERENCES public.seat_maps (id) ON DELETE CASCADE;
ALTER TABLE public.seat_assignments
    ADD CONSTRAINT fk_seat_assignments_ticket_id_tickets FOREIGN KEY(ticket_id) REFERENCES public.tickets (id) ON DELETE CASCADE;
ALTER TABLE ops.areas
    ADD CONSTRAINT fk_areas_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.areas
    ADD CONSTRAINT fk_areas_overflow_area_id_areas FOREIGN KEY(overflow_area_id) REFERENCES ops.areas (id) ON DELETE SET NULL;
ALTER TABLE ops.areas
    ADD CONSTRAINT fk_areas_parent_id_areas FOREIGN KEY(parent_id) REFERENCES ops.areas (id) ON DELETE SET NULL;
ALTER TABLE ops.areas
    ADD CONSTRAINT fk_areas_venue_id_venues FOREIGN KEY(venue_id) REFERENCES public.venues (id) ON DELETE SET NULL;
ALTER TABLE ops.scopes
    ADD CONSTRAINT fk_scopes_area_id_areas FOREIGN KEY(area_id) REFERENCES ops.areas (id) ON DELETE SET NULL;
ALTER TABLE ops.scopes
    ADD CONSTRAINT fk_scopes_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.scopes
    ADD CONSTRAINT fk_scopes_parent_id_scopes FOREIGN KEY(parent_id) REFERENCES ops.scopes (id) ON DELETE SET NULL;
ALTER TABLE ops.scopes
    ADD CONSTRAINT fk_scopes_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE CASCADE;
ALTER TABLE ops.gates
    ADD CONSTRAINT fk_gates_area_id_areas FOREIGN KEY(area_id) REFERENCES ops.areas (id) ON DELETE SET NULL;
ALTER TABLE ops.gates
    ADD CONSTRAINT fk_gates_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.gates
    ADD CONSTRAINT fk_gates_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE SET NULL;
ALTER TABLE ops.gates
    ADD CONSTRAINT fk_gates_use_instead_id_gates FOREIGN KEY(use_instead_id) REFERENCES ops.gates (id) ON DELETE SET NULL;
ALTER TABLE ops.access_rules
    ADD CONSTRAINT fk_access_rules_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.access_rules
    ADD CONSTRAINT fk_access_rules_scope_id_scopes FOREIGN KEY(scope_id) REFERENCES ops.scopes (id) ON DELETE CASCADE;
ALTER TABLE ops.access_rules
    ADD CONSTRAINT fk_access_rules_ticket_type_id_ticket_types FOREIGN KEY(ticket_type_id) REFERENCES public.ticket_types (id) ON DELETE CASCADE;
ALTER TABLE ops.ticket_codes
    ADD CONSTRAINT fk_ticket_codes_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.ticket_codes
    ADD CONSTRAINT fk_ticket_codes_replaced_by_ticket_codes FOREIGN KEY(replaced_by) REFERENCES ops.ticket_codes (id) ON DELETE SET NULL;
ALTER TABLE ops.ticket_codes
    ADD CONSTRAINT fk_ticket_codes_ticket_id_tickets FOREIGN KEY(ticket_id) REFERENCES public.tickets (id) ON DELETE CASCADE;
ALTER TABLE ops.session_registrations
    ADD CONSTRAINT fk_session_registrations_attendee_id_attendees FOREIGN KEY(attendee_id) REFERENCES public.attendees (id) ON DELETE SET NULL;
ALTER TABLE ops.session_registrations
    ADD CONSTRAINT fk_session_registrations_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.session_registrations
    ADD CONSTRAINT fk_session_registrations_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE CASCADE;
ALTER TABLE ops.session_registrations
    ADD CONSTRAINT fk_session_registrations_ticket_id_tickets FOREIGN KEY(ticket_id) REFERENCES public.tickets (id) ON DELETE CASCADE;
ALTER TABLE ops.devices
    ADD CONSTRAINT fk_devices_enrolment_id_enrolments FOREIGN KEY(enrolment_id) REFERENCES ops.enrolments (id) ON DELETE SET NULL;
ALTER TABLE ops.devices
    ADD CONSTRAINT fk_devices_gate_id_gates FOREIGN KEY(gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL;
ALTER TABLE ops.devices
    ADD CONSTRAINT fk_devices_operator_id_operators FOREIGN KEY(operator_id) REFERENCES ops.operators (id) ON DELETE SET NULL;
ALTER TABLE ops.devices
    ADD CONSTRAINT fk_devices_returns_to_id_operators FOREIGN KEY(returns_to_id) REFERENCES ops.operators (id) ON DELETE SET NULL;
ALTER TABLE ops.devices
    ADD CONSTRAINT fk_devices_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE SET NULL;
ALTER TABLE ops.devices
    ADD CONSTRAINT fk_devices_sponsor_id_sponsors FOREIGN KEY(sponsor_id) REFERENCES public.sponsors (id) ON DELETE CASCADE;
ALTER TABLE ops.device_events
    ADD CONSTRAINT fk_device_events_device_id_devices FOREIGN KEY(device_id) REFERENCES ops.devices (id) ON DELETE CASCADE;
ALTER TABLE ops.device_events
    ADD CONSTRAINT fk_device_events_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.device_events
    ADD CONSTRAINT fk_device_events_gate_id_gates FOREIGN KEY(gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL;
ALTER TABLE ops.enrolments
    ADD CONSTRAINT fk_enrolments_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE ops.enrolments
    ADD CONSTRAINT fk_enrolments_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.enrolments
    ADD CONSTRAINT fk_enrolments_gate_id_gates FOREIGN KEY(gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL;
ALTER TABLE ops.enrolments
    ADD CONSTRAINT fk_enrolments_sponsor_id_sponsors FOREIGN KEY(sponsor_id) REFERENCES public.sponsors (id) ON DELETE CASCADE;
ALTER TABLE ops.operators
    ADD CONSTRAINT fk_operators_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.operators
    ADD CONSTRAINT fk_operators_gate_id_gates FOREIGN KEY(gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL;
ALTER TABLE public.check_ins
    ADD CONSTRAINT fk_check_ins_attendee_id_attendees FOREIGN KEY(attendee_id) REFERENCES public.attendees (id) ON DELETE CASCADE;
ALTER TABLE public.check_ins
    ADD CONSTRAINT fk_check_ins_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE public.check_ins
    ADD CONSTRAINT fk_check_ins_gate_id_gates FOREIGN KEY(gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL;
ALTER TABLE public.check_ins
    ADD CONSTRAINT fk_check_ins_scope_id_scopes FOREIGN KEY(scope_id) REFERENCES ops.scopes (id);
ALTER TABLE public.check_ins
    ADD CONSTRAINT fk_check_ins_ticket_id_tickets FOREIGN KEY(ticket_id) REFERENCES public.tickets (id) ON DELETE SET NULL;
ALTER TABLE public.check_ins
    ADD CONSTRAINT fk_check_ins_validated_by_users FOREIGN KEY(validated_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE ops.conflicts
    ADD CONSTRAINT fk_conflicts_area_id_areas FOREIGN KEY(area_id) REFERENCES ops.areas (id) ON DELETE SET NULL;
ALTER TABLE ops.conflicts
    ADD CONSTRAINT fk_conflicts_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.conflicts
    ADD CONSTRAINT fk_conflicts_resolved_by_users FOREIGN KEY(resolved_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE ops.conflicts
    ADD CONSTRAINT fk_conflicts_scope_id_scopes FOREIGN KEY(scope_id) REFERENCES ops.scopes (id) ON DELETE SET NULL;
ALTER TABLE ops.conflicts
    ADD CONSTRAINT fk_conflicts_ticket_id_tickets FOREIGN KEY(ticket_id) REFERENCES public.tickets (id) ON DELETE SET NULL;
ALTER TABLE ops.counts
    ADD CONSTRAINT fk_counts_area_id_areas FOREIGN KEY(area_id) REFERENCES ops.areas (id) ON DELETE CASCADE;
ALTER TABLE ops.counts
    ADD CONSTRAINT fk_counts_device_id_devices FOREIGN KEY(device_id) REFERENCES ops.devices (id) ON DELETE SET NULL;
ALTER TABLE ops.counts
    ADD CONSTRAINT fk_counts_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.counts
    ADD CONSTRAINT fk_counts_gate_id_gates FOREIGN KEY(gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL;
ALTER TABLE ops.counts
    ADD CONSTRAINT fk_counts_operator_id_operators FOREIGN KEY(operator_id) REFERENCES ops.operators (id) ON DELETE SET NULL;
ALTER TABLE ops.event_members
    ADD CONSTRAINT fk_event_members_area_id_areas FOREIGN KEY(area_id) REFERENCES ops.areas (id) ON DELETE CASCADE;
ALTER TABLE ops.event_members
    ADD CONSTRAINT fk_event_members_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.event_members
    ADD CONSTRAINT fk_event_members_role_id_roles FOREIGN KEY(role_id) REFERENCES public.roles (id) ON DELETE CASCADE;
ALTER TABLE ops.event_members
    ADD CONSTRAINT fk_event_members_user_id_users FOREIGN KEY(user_id) REFERENCES public.users (id) ON DELETE CASCADE;
ALTER TABLE ops.staff_sessions
    ADD CONSTRAINT fk_staff_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES public.users (id) ON DELETE CASCADE;
ALTER TABLE ops.plan_versions
    ADD CONSTRAINT fk_plan_versions_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.cache_epochs
    ADD CONSTRAINT fk_cache_epochs_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.import_runs
    ADD CONSTRAINT fk_import_runs_created_by_users FOREIGN KEY(created_by) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE ops.import_runs
    ADD CONSTRAINT fk_import_runs_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
