using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Holdfast.Testing.Services;

/// <summary>
/// Speaks as much of S3 as a put, a ranged get, a head, a delete and an empty listing take, for what no real store does on demand:
/// to ignore conditions and to answer with a given error. Signatures are not looked at.
/// </summary>
public sealed class FakeS3 : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly ConcurrentDictionary<string, byte[]> objects = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(int Status, string Code)> errors = new();

    public FakeS3()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Endpoint = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}");
        }

        listener.Prefixes.Add(Endpoint.AbsoluteUri);
        listener.Start();
        _ = ServeAsync();
    }

    /// <summary>Where it answers.</summary>
    public Uri Endpoint { get; }

    /// <summary>Whether a conditional put replaces what is there.</summary>
    public bool IgnoresConditions { get; init; }

    /// <summary>How many requests came.</summary>
    public int Requests { get; private set; }

    /// <summary>Keys of what was put.</summary>
    public IEnumerable<string> Keys => objects.Keys;

    /// <summary>One of the next requests gets this answer, each error once.</summary>
    public void Fail(int status, string code) => errors.Enqueue((status, code));

    public void Dispose() => listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await listener.GetContextAsync();
                Requests++;
                await AnswerAsync(context.Request, context.Response);
            }
        }
        catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task AnswerAsync(HttpListenerRequest request, HttpListenerResponse response)
    {
        byte[] sent;
        using (var content = new MemoryStream())
        {
            await request.InputStream.CopyToAsync(content);
            sent = content.ToArray();
        }

        byte[] answer = [];
        string key = request.Url!.AbsolutePath;
        if (errors.TryDequeue(out (int Status, string Code) error))
        {
            response.StatusCode = error.Status;
            answer = ErrorBody(error.Code);
        }
        else if (request.HttpMethod == "PUT")
        {
            if (IgnoresConditions || request.Headers["If-None-Match"] is null) objects[key] = sent;
            else if (!objects.TryAdd(key, sent)) (response.StatusCode, answer) = (412, ErrorBody("PreconditionFailed"));
            response.Headers["ETag"] = "\"0\"";
        }
        else if (request.HttpMethod == "DELETE")
        {
            objects.TryRemove(key, out _);
            response.StatusCode = 204;
        }
        else if (request.QueryString["list-type"] is not null)
        {
            answer = "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"u8.ToArray();
        }
        else if (!objects.TryGetValue(key, out byte[]? found))
        {
            (response.StatusCode, answer) = (404, request.HttpMethod == "HEAD" ? [] : ErrorBody("NoSuchKey"));
        }
        else
        {
            response.Headers["Last-Modified"] = "Sun, 22 Nov 2026 00:00:00 GMT";
            (response.StatusCode, answer) = Part(found, request.Headers["Range"]);
        }

        response.ContentLength64 = answer.Length;
        if (request.HttpMethod != "HEAD") await response.OutputStream.WriteAsync(answer);
        response.Close();
    }

    private static (int Status, byte[] Bytes) Part(byte[] content, string? range)
    {
        if (range is null) return (200, content);
        int[] ends = [.. range["bytes=".Length..].Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
        return ends[0] < content.Length ? (206, content[ends[0]..Math.Min(ends[1] + 1, content.Length)]) : (416, ErrorBody("InvalidRange"));
    }

    private static byte[] ErrorBody(string code) =>
        System.Text.Encoding.UTF8.GetBytes($"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test says</Message></Error>");
}
