"""What the codes of findings mean, in Russian: what is wrong, and what to do about it.

In English a finding says so itself, with the numbers and words of its place.
"""

_RU: dict[str, tuple[str, str]] = {
    "zip.invalid_archive": ("Файл не читается как архив ZIP", "Создайте архив заново."),
    "zip.input_too_large": ("Архив больше допустимого", "Разделите выгрузку."),
    "zip.entry_count_exceeded": ("В архиве слишком много файлов", "Оставьте только файлы CSV."),
    "zip.entry_duplicate_name": ("Два файла архива названы одинаково", "Оставьте один из них."),
    "zip.entry_empty_name": ("У файла в архиве нет имени", "Создайте архив заново."),
    "zip.entry_directory": ("В архиве есть папка", "Архивируйте сами файлы CSV, без папки."),
    "zip.entry_absolute_path": ("Файл назван полным путём", "Архивируйте файлы CSV без пути."),
    "zip.entry_path_traversal": ("Путь файла выходит из архива", "Архивируйте файлы CSV без пути."),
    "zip.entry_nested_path": ("Файл лежит в папке", "Архивируйте сами файлы CSV, без папки."),
    "zip.entry_encrypted": ("Файл в архиве зашифрован", "Создайте архив без пароля."),
    "zip.entry_unsupported_compression": ("Неизвестный способ сжатия", "Сожмите обычным ZIP."),
    "zip.entry_too_large": ("Файл в архиве больше допустимого", "Разделите выгрузку."),
    "zip.entry_compression_ratio_exceeded": ("Файл сжат неправдоподобно сильно", ""),
    "zip.total_uncompressed_size_exceeded": ("Файлы вместе больше допустимого", ""),
    "csv.invalid_utf8": (
        "Текст не в кодировке UTF-8",
        "Сохраните файл в UTF-8, не в Windows-1251.",
    ),
    "csv.unclosed_quote": ("Кавычка не закрыта", "Закройте поле кавычкой."),
    "csv.unescaped_quote": ("Кавычка внутри поля", "Заключите поле в кавычки, внутренние удвойте."),
    "csv.unexpected_character_after_quote": (
        "После закрывающей кавычки стоит лишний знак",
        "После кавычки может быть только запятая или конец строки.",
    ),
    "csv.line_break_in_quoted_field": ("Перенос строки внутри поля", "Замените его пробелом."),
    "csv.bare_carriage_return": ("Неверный конец строки", "Концы строк: CRLF или LF."),
    "csv.line_too_long": ("Строка слишком длинная", "Проверьте концы строк: CRLF или LF."),
    "package.missing_manifest": ("Нет файла manifest.csv", "Выгрузите пакет как OneRoster 1.2."),
    "package.duplicate_file": ("Файл есть дважды, буквами разного регистра", "Оставьте один."),
    "package.unknown_file": ("Лишний файл в архиве", "Оставьте manifest.csv и файлы стандарта."),
    "manifest.missing_header": ("Файл manifest.csv пуст", "Первая строка: propertyName,value."),
    "manifest.invalid_header": ("Неверный заголовок", "Первая строка: propertyName,value."),
    "manifest.row_width_mismatch": ("В строке не два поля", "Напишите имя и значение."),
    "manifest.duplicate_property": ("Свойство указано дважды", "Оставьте одно."),
    "manifest.unknown_property": ("Неизвестное свойство", "Уберите строку."),
    "manifest.missing_property": ("Нет обязательного свойства", "Добавьте строку."),
    "manifest.invalid_manifest_version": ("Неверная версия манифеста", "Напишите 1.0."),
    "manifest.invalid_oneroster_version": ("Неверная версия OneRoster", "Напишите 1.2."),
    "manifest.invalid_file_mode": ("Неверный режим файла", "absent, bulk или delta."),
    "manifest.file_unexpected": (
        "Файл есть в архиве, а в манифесте сказано absent",
        "Исправьте манифест или уберите файл.",
    ),
    "manifest.file_missing": (
        "В манифесте файл назван, а в архиве его нет",
        "Добавьте файл или напишите absent.",
    ),
    "table.missing_header": ("Файл пуст: нет заголовка", "Добавьте строку с именами столбцов."),
    "table.empty_header_name": ("У столбца нет имени", "Назовите столбец или уберите его."),
    "table.duplicate_header": ("Имя столбца повторяется", "Оставьте один столбец."),
    "table.missing_data_rows": ("В файле нет строк с данными", "Уберите файл, напишите absent."),
    "table.row_width_mismatch": (
        "В строке не столько полей, сколько столбцов",
        "Поля, в которых есть запятая, заключите в кавычки.",
    ),
    "schema.missing_header": (
        "Нет столбца на его месте",
        "Столбец может быть пустым, но должен быть.",
    ),
    "schema.header_order_mismatch": ("Столбцы стоят не по порядку", "Порядок задан стандартом."),
    "schema.metadata_column_position": ("Столбец metadata не на месте", "Перенесите его вправо."),
    "schema.invalid_metadata_header": ("Неизвестный столбец", "Свои столбцы называйте metadata.…"),
    "row.missing_required_value": ("Не заполнено обязательное поле", "Заполните поле."),
    "row.invalid_guid": (
        "Неверный идентификатор",
        "До 255 знаков: цифры, латинские буквы, . - _ / @",
    ),
    "row.invalid_list": ("Неверный список", "Перечислите через запятую, без пустых мест."),
    "row.invalid_enum": ("Слова нет в перечне", "Возьмите слово из стандарта или со знаком ext:"),
    "row.invalid_boolean": ("Здесь может быть только true или false", ""),
    "row.invalid_date": ("Неверная дата", "Пишите ГГГГ-ММ-ДД, например 2026-09-01."),
    "row.invalid_datetime": ("Неверное время", "Пишите ГГГГ-ММ-ДДTчч:мм:сс.000Z, по UTC."),
    "row.invalid_year": ("Неверный год", "Пишите четыре цифры."),
    "row.invalid_integer": ("Здесь нужно целое число", ""),
    "row.invalid_float": ("Здесь нужно число", "Дробная часть отделяется точкой."),
    "row.field_forbidden_in_bulk": ("В полной выгрузке поле пустое", "Очистите поле."),
    "row.field_required_in_delta": ("В выгрузке изменений поле обязательно", "Заполните поле."),
    "reference.duplicate_sourced_id": ("Идентификатор уже был в этом файле", "Уберите повтор."),
    "reference.missing_target_file": ("Ссылка на файл, которого нет", "Добавьте файл в пакет."),
    "reference.missing_target_record": (
        "Ссылка на запись, которой нет",
        "Добавьте запись или исправьте ссылку.",
    ),
    "semantic.end_before_begin": ("Конец раньше начала", "Исправьте даты."),
    "semantic.subject_codes_length": ("Кодов не столько, сколько предметов", "Дополните список."),
    "semantic.primary_role_conflict": (
        "Вторая основная роль человека в той же организации",
        "Сделайте одну из них secondary.",
    ),
    "semantic.wrong_org_type": ("Здесь нужна организация вида school", "Исправьте ссылку."),
    "import.mixed_modes": (
        "Люди, роли и сведения о рождении выгружены в разных режимах",
        "Все три файла: либо bulk, либо delta.",
    ),
    "import.text_blank": ("В поле только пробелы", "Заполните поле."),
    "import.text_too_long": ("Текст длиннее 255 знаков", "Сократите."),
    "import.birth_date": ("Неправдоподобная дата рождения", "С 1900 года по сегодня."),
    "import.teaching_since": ("Неправдоподобная дата начала работы", "Исправьте дату."),
    "import.interval_reversed": ("Дата окончания раньше начала", "Исправьте даты."),
    "import.unknown_org": ("Организации нет ни в пакете, ни у нас", "Добавьте её в orgs.csv."),
    "import.unknown_user": ("Человека нет ни в пакете, ни у нас", "Добавьте его в users.csv."),
    "import.org_cycle": ("Организация подчинена самой себе", "Исправьте parentSourcedId."),
    "import.level_changed": ("Организация была другого уровня", "Заведите новую запись."),
    "import.under_level": ("Вышестоящая организация не выше уровнем", "Исправьте вид."),
    "import.under_unknown": ("Указанной вышестоящей организации больше нет", "Укажите другую."),
    "import.parent_set_aside": (
        "Вышестоящая организация отложена из-за ошибки",
        "Исправьте её запись.",
    ),
    "warning.older_columns": ("Столбцы прежней редакции OneRoster", ""),
    "warning.older_version": ("Пакет OneRoster 1.1 прочитан как 1.2", ""),
    "warning.users_without_roles": ("Нет roles.csv: неизвестно, кто ученик, а кто учитель", ""),
}


def russian(code: str) -> tuple[str, str] | None:
    """What is wrong and what to do; None for a code that has no words here."""
    return _RU.get(code)


def codes() -> frozenset[str]:
    return frozenset(_RU)
