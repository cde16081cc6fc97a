using System.Text;

namespace Holdfast.Testing;

/// Names that careless code stumbles over.
internal static class TreeNames
{
    public static readonly byte[][] Nasty =
    [
        [0xFF, 0xFE, (byte)'x'],
        [(byte)'c', (byte)'a', (byte)'f', 0xE9],
        [0xED, 0xA0, 0x80],
        [1, 2, 3, 27, (byte)'[', (byte)'3', (byte)'1', (byte)'m'],
        "new\nline"u8.ToArray(),
        "cr\r"u8.ToArray(),
        "tab\tand \"quotes\" 'both' `ticks` $HOME"u8.ToArray(),
        "-rf"u8.ToArray(),
        "--help"u8.ToArray(),
        " leading and trailing "u8.ToArray(),
        " "u8.ToArray(),
        "..."u8.ToArray(),
        "..a"u8.ToArray(),
        ".hidden"u8.ToArray(),
        "~"u8.ToArray(),
        "a:b"u8.ToArray(),
        "C:\\back\\slash"u8.ToArray(),
        "*?[a]{b}"u8.ToArray(),
        "%2F%00"u8.ToArray(),
        "#!important"u8.ToArray(),
        "\u00fc"u8.ToArray(),
        "u\u0308"u8.ToArray(),
        "測試 😀"u8.ToArray(),
        "\u202egpj.exe"u8.ToArray(),
        "CON"u8.ToArray(),
        "con"u8.ToArray(),
        Longest((byte)'n'),
        Longest(0xC3),
    ];

    /// A name of the greatest length that is allowed.
    public static byte[] Longest(byte fill)
    {
        byte[] name = new byte[255];
        name.AsSpan().Fill(fill);
        return name;
    }

    /// A name that is not taken yet, nasty one time in four.
    public static byte[] Next(Random random, PosixDirectory directory)
    {
        while (true)
        {
            byte[] name = random.Next(4) == 0
                ? Nasty[random.Next(Nasty.Length)]
                : Encoding.UTF8.GetBytes($"{"abcdefgh"[random.Next(8)]}{random.Next(100_000)}");
            if (!directory.Exists(name)) return name;
        }
    }
}
