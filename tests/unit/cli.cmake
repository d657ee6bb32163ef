# Unit tests of host/cli
unit_test(cli cli)
add_dependencies(cli_cli_test bad_plugins janitor)
target_compile_definitions(cli_cli_test PRIVATE BAD_PLUGINS="${CMAKE_BINARY_DIR}/tests/bad_plugins"
    JANITOR_PLUGIN="$<TARGET_FILE:janitor>")
unit_test(cli control)
unit_test(cli dev)
unit_test(cli rbac)
add_dependencies(cli_rbac_test website hello mirror janitor reloader)
target_compile_definitions(cli_rbac_test PRIVATE WEBSITE_DIR="$<TARGET_FILE_DIR:website>"
    HELLO_DIR="$<TARGET_FILE_DIR:hello>" SHIPPED_DIR="$<TARGET_FILE_DIR:mirror>")
