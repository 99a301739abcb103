"""Names that are used where `vulture` cannot see it: read by libraries that we hand our objects to."""

_.atexit  # weakref.finalize
_.trust_env  # requests: the environment's proxies and .netrc stay out
_.protocol_version  # http.server
_.do_GET
_.version_string
_.log_message
_.disable_nagle_algorithm
_.close_connection
_.daemon_threads  # socketserver
_.request_queue_size
_.client_address
_.compress_type  # zipfile
_.external_attr
_.exported_at  # archive.py: stands in the file for whoever opens it
_.isolation_level  # sqlite3
_.impl  # SQLAlchemy's types
_.cache_ok
_.process_bind_param
_.process_result_value
_.screen_named  # the tests and the screenshots look at a screen by it
_.adaptor  # ui/bus.py: called over D-Bus
_.Activate
_.Open
_.ActivateAction
_.find_spec  # haste.py: called by Python's import
_.create_module
_.exec_module
