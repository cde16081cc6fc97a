using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Holdfast.Log;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.Agents;

/// <summary>The unix socket of an agent: where it is, and who is at its other end.</summary>
internal static class AgentSocket
{
    /// <summary>Name of the socket in a database's directory.</summary>
    public const string Name = "holdfast.sock";

    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;

    /// <summary>Runs something with an address of the socket that is short enough, however long the directory's path is.</summary>
    /// <param name="directory">The directory of the database.</param>
    /// <param name="use">Gets the address.</param>
    public static T WithAddress<T>(string directory, Func<UnixDomainSocketEndPoint, T> use)
    {
        // sun_path takes 107 bytes. A path through an open directory is always shorter.
        using SafeFileHandle open = LibC.OpenDirectory(directory)
            ?? throw new HoldfastException(ErrorKind.NotThere, $"{directory}: cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}", "check the path");
        return use(new UnixDomainSocketEndPoint($"/proc/self/fd/{open.DangerousGetHandle()}/{Name}"));
    }

    /// <summary>User id of the process at the other end.</summary>
    public static uint UserOf(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        _ = socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
        return MemoryMarshal.Read<uint>(credentials[4..]);
    }

    /// <summary>Reads a line; null when the other side ends before it.</summary>
    /// <exception cref="FormatException">It is longer than allowed.</exception>
    public static async Task<ReadOnlyMemory<byte>?> ReadLineAsync(Socket socket, int maxBytes, CancellationToken cancellationToken)
    {
        var line = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            int read = await socket.ReceiveAsync(line.GetMemory(4096), cancellationToken).ConfigureAwait(false);
            if (read == 0) return null;
            int before = line.WrittenCount;
            line.Advance(read);
            int end = line.WrittenSpan[before..].IndexOf((byte)'\n');
            if (end >= 0) return line.WrittenMemory[..(before + end)];
            if (line.WrittenCount > maxBytes) throw new FormatException($"a line of more than {maxBytes} bytes");
        }
    }

    /// <summary>The same, for those who wait.</summary>
    public static ReadOnlyMemory<byte>? ReadLine(Stream stream)
    {
        var line = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            int read = stream.Read(line.GetSpan(4096));
            if (read == 0) return null;
            int before = line.WrittenCount;
            line.Advance(read);
            int end = line.WrittenSpan[before..].IndexOf((byte)'\n');
            if (end >= 0) return line.WrittenMemory[..(before + end)];
            if (line.WrittenCount > AgentMessages.MaxAnswerBytes) throw new FormatException($"a line of more than {AgentMessages.MaxAnswerBytes} bytes");
        }
    }

    /// <summary>Sends all bytes.</summary>
    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            int sent = await socket.SendAsync(bytes, cancellationToken).ConfigureAwait(false);
            bytes = bytes[sent..];
        }
    }
}
