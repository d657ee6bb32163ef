# Unit tests of host/cli
unit_test(cli cli)
unit_test(cli control)
unit_test(cli dev)
unit_test(cli rbac)
add_dependencies(cli_rbac_test website mirror janitor reloader)
target_compile_definitions(cli_rbac_test PRIVATE WEBSITE_DIR="$<TARGET_FILE_DIR:website>"
                                                 SHIPPED_DIR="$<TARGET_FILE_DIR:mirror>")
